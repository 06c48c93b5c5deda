import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import jwt from "jsonwebtoken";
import { parseUserName } from "../../protocol/ids.js";
import { type AccessClaims, AccessTokens } from "../../server/gateway/access-tokens.js";
import { Fingerprints } from "../../server/gateway/fingerprints.js";
import type { Principal } from "../../server/gateway/principals.js";
import { Clock } from "../helpers/gateway-world.js";

const key = Buffer.alloc(32, 7);
const ada: Principal = {
  name: parseUserName("ada"),
  roles: ["red"],
  password: { scheme: "simple", derivedKey: "00", salt: "s" },
};

function tokensAt(clock: Clock, withKey = key): AccessTokens {
  const options = { key: withKey, issuer: "settee", seconds: 900, now: clock.now };
  return new AccessTokens(options, new Fingerprints(Buffer.alloc(32, 9)));
}

test("a token carries what CouchDB's JWT handler reads, and is its user's until its time is over", () => {
  const clock = new Clock();
  const tokens = tokensAt(clock);
  const token = tokens.issue(ada);
  const decoded = jwt.decode(token, { complete: true });
  const payload = decoded?.payload as jwt.JwtPayload;
  assert.equal(decoded?.header.alg, "HS256");
  assert.equal(payload.sub, "ada");
  assert.deepEqual(payload["_couchdb.roles"], ["red"]);
  assert.equal(payload.iss, "settee");
  assert.equal((payload.exp ?? 0) - (payload.iat ?? 0), 900);

  for (let round = 0; round < 2; round++) assert.equal(tokens.verify(token)?.name, "ada");
  const claims = tokens.verify(token) as AccessClaims;
  assert.equal(tokens.belongsTo(claims, ada), true);
  assert.equal(tokens.belongsTo(claims, { ...ada, name: parseUserName("bob") }), false);
  const changed: Principal = { ...ada, password: { scheme: "simple", derivedKey: "01", salt: "s" } };
  assert.equal(tokens.belongsTo(claims, changed), false);

  clock.advance(899);
  assert.ok(tokens.verify(token));
  clock.advance(1);
  assert.equal(tokens.verify(token), undefined, "from memory");
  assert.equal(tokensAt(clock).verify(token), undefined, "afresh");
});

test("what another signed, or nobody, is refused", () => {
  const clock = new Clock();
  const tokens = tokensAt(clock);
  const good = tokens.issue(ada);
  const { header, payload } = jwt.decode(good, { complete: true }) as jwt.Jwt;
  const keyid = header.kid as string;
  const claims = payload as jwt.JwtPayload;
  const { exp: _exp, ...endless } = claims;
  const { "settee.fingerprint": _fingerprint, ...anybodys } = claims;
  const [head, body, signature] = good.split(".") as [string, string, string];
  const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const pem = publicKey.export({ type: "spki", format: "pem" });

  const forged: Record<string, string> = {
    "alg none": `${encode({ alg: "none", typ: "JWT", kid: keyid })}.${body}.`,
    "alg NONE": `${encode({ alg: "NONE", kid: keyid })}.${body}.${signature}`,
    "no signature": `${head}.${body}.`,
    "other claims": `${head}.${encode({ ...claims, sub: "admin" })}.${signature}`,
    "other key": jwt.sign(claims, Buffer.alloc(32, 8), { algorithm: "HS256", keyid }),
    "HS512 with our key": jwt.sign(claims, key, { algorithm: "HS512", keyid }),
    RS256: jwt.sign(claims, privateKey, { algorithm: "RS256", keyid }),
    "HS256 with a public key": jwt.sign(claims, Buffer.from(pem), { algorithm: "HS256", keyid }),
    "other kid": jwt.sign(claims, key, { algorithm: "HS256", keyid: "other" }),
    "no kid": jwt.sign(claims, key, { algorithm: "HS256" }),
    "other issuer": jwt.sign({ ...claims, iss: "other" }, key, { algorithm: "HS256", keyid }),
    "no exp": jwt.sign(endless, key, { algorithm: "HS256", keyid }),
    "no fingerprint": jwt.sign(anybodys, key, { algorithm: "HS256", keyid }),
    "not yet": jwt.sign({ ...claims, nbf: (claims.iat ?? 0) + 60 }, key, { algorithm: "HS256", keyid }),
    "too long": `${good}${"A".repeat(10_000)}`,
    nothing: "",
  };
  for (const [name, token] of Object.entries(forged)) assert.equal(tokens.verify(token), undefined, name);
  assert.equal(tokensAt(clock, Buffer.alloc(32, 8)).verify(good), undefined);
  assert.ok(tokens.verify(jwt.sign(claims, key, { algorithm: "HS256", keyid })), "the same claims, well signed");
});
