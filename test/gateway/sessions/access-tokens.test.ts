import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import {
  createLocalJWKSet,
  decodeJwt,
  decodeProtectedHeader,
  exportSPKI,
  type JWTPayload,
  jwtVerify,
  SignJWT,
} from "jose";
import { parseUserName } from "../../../protocol/ids.js";
import { KeyRing } from "../../../server/gateway/keys/key-ring.js";
import type { TokenAlgorithm } from "../../../server/gateway/keys/signing-key.js";
import type { Principal } from "../../../server/gateway/principals.js";
import { AccessTokens } from "../../../server/gateway/sessions/access-tokens.js";
import { newSessionId, publicIdOf } from "../../../server/gateway/sessions/session-record.js";
import { configDatabase } from "../../../server/gateway/system-databases.js";
import { Clock } from "../../helpers/gateway-world.js";
import { MemoryBackend } from "../../helpers/memory-backend.js";

const onError = (error: unknown): void => assert.fail(String(error));
const ada: Principal = { name: parseUserName("ada"), roles: ["red"], password: undefined };
const sessionId = publicIdOf({ _id: newSessionId("ada") });

interface Made {
  readonly clock: Clock;
  readonly backend: MemoryBackend;
  readonly keys: KeyRing;
  readonly tokens: AccessTokens;
}

async function make(algorithm: TokenAlgorithm = "HS256", given: Partial<Made> = {}): Promise<Made> {
  const { clock = new Clock(), backend = new MemoryBackend() } = given;
  await backend.createDatabase(configDatabase);
  const options = { sealingKey: Buffer.alloc(32, 7), algorithm, overlap: 900_000, now: clock.now, onError };
  const keys = new KeyRing(backend, options);
  await keys.start();
  const tokens = new AccessTokens({ issuer: "settee", audience: "settee", now: clock.now }, keys);
  return { clock, backend, keys, tokens };
}

/** Claims as they are, signed with the key that signs now, unless another is given. */
function signed({ keys }: Made, claims: JWTPayload, header: Record<string, unknown> = {}, key?: Uint8Array) {
  const { kid, algorithm, secret } = keys.signing;
  return new SignJWT(claims).setProtectedHeader({ alg: algorithm, kid, ...header }).sign(key ?? secret);
}

for (const algorithm of ["HS256", "RS256", "ES256"] as const) {
  test(`${algorithm}: a token carries what CouchDB's JWT handler reads, until its time is over`, async () => {
    const made = await make(algorithm);
    const { tokens, clock, keys } = made;
    const token = await tokens.issue(ada, sessionId, 900);
    const { alg, kid } = decodeProtectedHeader(token);
    assert.deepEqual({ alg, kid }, { alg: algorithm, kid: keys.signing.kid });
    const { iat = 0, ...claims } = decodeJwt(token);
    assert.deepEqual(claims, {
      sub: "ada",
      "_couchdb.roles": ["red"],
      iss: "settee",
      aud: "settee",
      sid: sessionId,
      exp: iat + 900,
    });
    const expected = { name: "ada", sessionId, expires: iat + 900, kid: keys.signing.kid };
    assert.deepEqual(await tokens.verify(token), expected);
    assert.deepEqual(tokens.verify(token), expected, "at once the second time");

    const published = keys.jwks;
    if (algorithm === "HS256") assert.deepEqual(published, { keys: [] }, "a secret is not published");
    else {
      assert.equal(JSON.stringify(published).match(/"(d|p|q|dp|dq|qi|k)":/), null, "public members only");
      const currentDate = new Date(clock.now());
      const { payload } = await jwtVerify(token, createLocalJWKSet(published), { audience: "settee", currentDate });
      assert.equal(payload.sub, "ada");
    }

    clock.advance(899);
    assert.ok(tokens.verify(token));
    clock.advance(1);
    assert.equal(tokens.verify(token), undefined, "from memory");
    assert.equal(await (await make(algorithm, made)).tokens.verify(token), undefined, "afresh");
  });
}

test("JWT: alg none, HS/RS confusion, kid traversal, missing exp, wrong aud and iss, clock skew", async () => {
  const made = await make();
  const { tokens, keys } = made;
  const good = await tokens.issue(ada, sessionId, 900);
  const claims = decodeJwt(good);
  const { exp: _exp, ...endless } = claims;
  const { sid: _sid, ...anybodys } = claims;
  const { aud: _aud, ...everywheres } = claims;
  const [head, body, signature] = good.split(".") as [string, string, string];
  const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const { kid } = keys.signing;
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });

  const forged: Record<string, string> = {
    "alg none": `${encode({ alg: "none", typ: "JWT", kid })}.${body}.`,
    "alg NONE": `${encode({ alg: "NONE", kid })}.${body}.${signature}`,
    "no signature": `${head}.${body}.`,
    "other claims": `${head}.${encode({ ...claims, sub: "admin" })}.${signature}`,
    "other key": await signed(made, claims, {}, Buffer.alloc(32, 8)),
    RS256: await new SignJWT(claims).setProtectedHeader({ alg: "RS256", kid }).sign(privateKey),
    "other kid": await signed(made, claims, { kid: "other" }),
    "kid a path": await signed(made, claims, { kid: "../../../../dev/null" }),
    "kid a number": await signed(made, claims, { kid: 7 }),
    "kid of a prototype": await signed(made, claims, { kid: "__proto__" }),
    "no kid": await signed(made, claims, { kid: undefined }),
    "key in the header": await signed(made, claims, { jwk: { kty: "oct", k: "AAAA" }, kid: "x" }),
    "unknown critical header": `${encode({ alg: "HS256", kid, crit: ["x"], x: 1 })}.${body}.${signature}`,
    "other issuer": await signed(made, { ...claims, iss: "other" }),
    "other audience": await signed(made, { ...claims, aud: "other" }),
    "no audience": await signed(made, everywheres),
    "no exp": await signed(made, endless),
    "exp a text": await signed(made, { ...claims, exp: "never" as unknown as number }),
    "no session": await signed(made, anybodys),
    "session of another form": await signed(made, { ...claims, sid: "../x" }),
    "not yet": await signed(made, { ...claims, nbf: (claims.iat ?? 0) + 60 }),
    "too long": `${good}${"A".repeat(10_000)}`,
    nothing: "",
  };
  for (const [name, token] of Object.entries(forged)) assert.equal(await tokens.verify(token), undefined, name);
  assert.ok(await tokens.verify(await signed(made, claims)), "the same claims, well signed");
});

test("JWT: the public key is no HS256 secret", async () => {
  const made = await make("RS256");
  const { tokens, keys } = made;
  const claims = decodeJwt(await tokens.issue(ada, sessionId, 900));
  const pem = Buffer.from(await exportSPKI(keys.signing.verifier as Parameters<typeof exportSPKI>[0]));
  const jwk = Buffer.from(JSON.stringify(keys.jwks.keys[0]));
  for (const secret of [pem, jwk]) {
    assert.equal(await tokens.verify(await signed(made, claims, { alg: "HS256" }, secret)), undefined);
  }
  assert.ok(await tokens.verify(await signed(made, claims)));
});

test("JWT: key rotation with overlap", async () => {
  const made = await make("ES256");
  const { tokens, keys, clock, backend } = made;
  const before = await tokens.issue(ada, sessionId, 900);
  const other = await make("ES256", { clock, backend });
  assert.ok(await other.tokens.verify(before), "every gateway over the same databases has the key");

  const kid = await keys.rotate();
  const after = await tokens.issue(ada, sessionId, 900);
  assert.equal(decodeProtectedHeader(after).kid, kid);
  assert.notEqual(decodeProtectedHeader(before).kid, kid);
  for (const each of [made, other, await make("ES256", { clock, backend })]) {
    assert.ok(await each.tokens.verify(before), "from before the rotation");
    assert.ok(await each.tokens.verify(after));
    assert.equal(each.keys.jwks.keys.length, 2);
  }
  clock.advance(600);
  const late = await tokens.issue(ada, sessionId, 900);
  clock.advance(300);
  assert.equal(
    await tokens.verify(await signed(made, { ...decodeJwt(late) }, { kid: decodeProtectedHeader(before).kid })),
    undefined,
  );
  assert.ok(await tokens.verify(late));
  assert.equal(keys.jwks.keys.length, 1, "a retired key is not published");
});

test("a key that another gateway made just now is looked for, but not for each name that somebody makes up", async () => {
  const made = await make();
  const { backend, clock, tokens } = made;
  const deaf = await make("HS256", { backend, clock });
  deaf.keys.close();
  await made.keys.rotate();
  const token = await tokens.issue(ada, sessionId, 900);
  assert.ok(await deaf.tokens.verify(token));
  const before = backend.calls.get("getDocument") ?? 0;
  const claims = decodeJwt(token);
  for (let count = 0; count < 50; count++) {
    assert.equal(await deaf.tokens.verify(await signed(made, claims, { kid: `made-up-${count}` })), undefined);
  }
  assert.equal(backend.calls.get("getDocument"), before);
});

test("keys are sealed where they are kept; with another secret there is a new one; gateways that start together make one", async () => {
  const clock = new Clock();
  const backend = new MemoryBackend();
  const both = await Promise.all([make("HS256", { clock, backend }), make("HS256", { clock, backend })]);
  const [one, two] = both;
  assert.equal(one.keys.signing.kid, two.keys.signing.kid);
  const [document] = await backend.listDocuments(configDatabase, {});
  const secret = Buffer.from(one.keys.signing.secret as Uint8Array);
  const text = JSON.stringify(document);
  assert.equal(text.includes(secret.toString("base64url")) || text.includes(secret.toString("hex")), false);

  const options = { sealingKey: Buffer.alloc(32, 9), algorithm: "HS256" as const, overlap: 1, now: clock.now, onError };
  const stranger = new KeyRing(backend, options);
  await stranger.start();
  assert.notEqual(stranger.signing.kid, one.keys.signing.kid);
  assert.equal(stranger.find(one.keys.signing.kid), undefined);
  assert.ok(await one.tokens.verify(await one.tokens.issue(ada, sessionId, 900)), "who has the secret goes on");
});

test("another algorithm in the settings makes a new key, and the old one overlaps", async () => {
  const made = await make("HS256");
  const token = await made.tokens.issue(ada, sessionId, 900);
  const later = await make("RS256", made);
  assert.equal(later.keys.signing.algorithm, "RS256");
  assert.ok(await later.tokens.verify(token));
});
