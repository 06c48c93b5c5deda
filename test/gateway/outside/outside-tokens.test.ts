import assert from "node:assert/strict";
import { test } from "node:test";
import { exportSPKI, importJWK, type JWTPayload, SignJWT } from "jose";
import type { Identity } from "../../../protocol/security.js";
import type { JwtIssuer } from "../../../server/gateway/outside/outside-tokens.js";
import { admin, changeUser, origin, putUser, refused, type World, world } from "../../helpers/gateway-world.js";
import { KeyServer } from "../../helpers/key-server.js";

const issuer = "https://login.example/realm";
const audience = "our-app";

function trusting(given: Partial<JwtIssuer>): JwtIssuer {
  return {
    issuer,
    audience,
    algorithms: ["RS256", "ES256"],
    accounts: "linked",
    nameClaim: "preferred_username",
    roles: { claim: "_couchdb.roles" },
    createAccounts: true,
    clockTolerance: 30,
    ...given,
  };
}

function claimsAt({ clock }: World, given: JWTPayload = {}): JWTPayload {
  const seconds = Math.floor(clock.now() / 1000);
  const all = { iss: issuer, aud: audience, sub: "4711", preferred_username: "Ada", iat: seconds, exp: seconds + 300 };
  return { ...all, ...given };
}

async function by({ gateway }: World, token: string): Promise<Identity> {
  return (await gateway.identify({ authorization: `Bearer ${token}`, ...origin })).identity;
}

const isRefused = (given: World, token: string, why?: string) =>
  assert.rejects(by(given, token), refused("unauthorized"), why);

test("an outside issuer's token makes an account at first sight, with a database, and finds it again", async (t) => {
  const keys = await KeyServer.start(t);
  const given = await world(t, { jwtIssuers: [trusting({ jwksUrl: keys.url })] });
  const token = await keys.sign(claimsAt(given, { "_couchdb.roles": ["red", "_admin"] }));
  const identity = await by(given, token);
  assert.deepEqual(identity, { name: "ada", roles: ["red"], method: "jwt" });
  const again = given.gateway.identify({ authorization: `Bearer ${token}`, ...origin });
  assert.ok(!(again instanceof Promise), "at once the second time");
  assert.equal(await given.gateway.provisioning.ownDatabase(identity), "userdb-616461");
  assert.equal((await by(given, await keys.sign(claimsAt(given, { preferred_username: "Countess" })))).name, "ada");
  assert.equal((await by(given, await keys.sign(claimsAt(given, { sub: "4712" })))).name, "ada-2");
  assert.equal(keys.requests, 1, "the key set is remembered");
});

test("JWT of an outside issuer: what is forged, of another issuer or audience, or over is refused", async (t) => {
  const keys = await KeyServer.start(t);
  const stranger = await KeyServer.start(t);
  const given = await world(t, { jwtIssuers: [trusting({ jwksUrl: keys.url })] });
  const { exp: _exp, ...endless } = claimsAt(given);
  const { sub: _sub, ...nobodys } = claimsAt(given);
  const good = await keys.sign(claimsAt(given));
  const [head, body, signature] = good.split(".") as [string, string, string];
  const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const pem = await exportSPKI((await importJWK(keys.publicJwk, "RS256")) as Parameters<typeof exportSPKI>[0]);
  const confused = new SignJWT(claimsAt(given)).setProtectedHeader({ alg: "HS256", kid: "key-0" });
  const seconds = Math.floor(given.clock.now() / 1000);
  const forged: Record<string, string> = {
    "alg none": `${encode({ alg: "none", kid: "key-0" })}.${body}.`,
    "no signature": `${head}.${body}.`,
    "other claims": `${head}.${encode({ ...claimsAt(given), sub: "1" })}.${signature}`,
    "another's key": await stranger.sign(claimsAt(given)),
    "HS256 with the public key": await confused.sign(Buffer.from(pem)),
    "another issuer": await keys.sign(claimsAt(given, { iss: "https://login.example/realm/" })),
    "our own issuer": await keys.sign(claimsAt(given, { iss: "settee" })),
    "another audience": await keys.sign(claimsAt(given, { aud: "other" })),
    "no exp": await keys.sign(endless),
    "no sub": await keys.sign(nobodys),
    "not yet": await keys.sign(claimsAt(given, { nbf: seconds + 31 })),
    over: await keys.sign(claimsAt(given, { exp: seconds - 31 })),
    "kid a path": await keys.sign(claimsAt(given), { kid: "../../key-0" }),
    "key of its own": await stranger.sign(claimsAt(given), { jwk: stranger.publicJwk }),
    "key elsewhere": await stranger.sign(claimsAt(given), { jku: stranger.url, kid: "key-0" }),
  };
  for (const [name, token] of Object.entries(forged)) await isRefused(given, token, name);
  assert.equal(stranger.requests, 0, "nobody is asked whom a token names");
  await by(given, await keys.sign(claimsAt(given, { nbf: seconds + 29 })));
  await by(given, await keys.sign(claimsAt(given, { exp: seconds - 29 })));
  assert.equal((await by(given, good)).name, "ada");
  given.clock.advance(331);
  await isRefused(given, good, "over, from memory");
});

test("keys of an issuer are fetched again when it rotates them, and not for each name that somebody makes up", async (t) => {
  const keys = await KeyServer.start(t);
  const given = await world(t, { jwtIssuers: [trusting({ jwksUrl: keys.url })] });
  await by(given, await keys.sign(claimsAt(given)));
  for (let count = 0; count < 20; count++) {
    await isRefused(given, await keys.sign(claimsAt(given, { jti: String(count) }), { kid: `made-up-${count}` }));
  }
  assert.equal(keys.requests, 1);
});

test("an issuer that is down, sends elsewhere or too much: 503, and it is left alone for a while", async (t) => {
  const elsewhere = await KeyServer.start(t);
  const answers: Record<string, KeyServer["instead"]> = {
    down: (_, response) => response.writeHead(500).end(),
    redirects: (_, response) => response.writeHead(302, { location: elsewhere.url }).end(),
    "too much": (_, response) => response.end(`{"keys":[${" ".repeat(600_000)}]}`),
    "no JSON": (_, response) => response.end("<html>"),
  };
  for (const [name, instead] of Object.entries(answers)) {
    const keys = await KeyServer.start(t);
    keys.instead = instead;
    const given = await world(t, { jwtIssuers: [trusting({ jwksUrl: keys.url })] });
    const ask = async () => by(given, await keys.sign(claimsAt(given)));
    for (let count = 0; count < 3; count++) await assert.rejects(ask, refused("service_unavailable"), name);
    assert.equal(keys.requests, 1, name);
  }
  assert.equal(elsewhere.requests, 0);
});

test("keys in the settings: each for its algorithm", async (t) => {
  const keys = await KeyServer.start(t, "ES256");
  const secret = Buffer.alloc(32, 5);
  const jwk = { kty: "oct", k: secret.toString("base64url") };
  const pem = await exportSPKI((await importJWK(keys.publicJwk, "ES256")) as Parameters<typeof exportSPKI>[0]);
  const jwtIssuers = [
    trusting({
      keys: [
        { algorithm: "ES256", pem },
        { algorithm: "HS256", jwk, kid: "shared" },
      ],
    }),
  ];
  const given = await world(t, { jwtIssuers });
  assert.equal((await by(given, await keys.sign(claimsAt(given)))).name, "ada");
  const shared = (kid: string, key: Uint8Array, alg = "HS256") =>
    new SignJWT(claimsAt(given)).setProtectedHeader({ alg, kid }).sign(key);
  assert.equal((await by(given, await shared("shared", secret))).name, "ada");
  await isRefused(given, await shared("other", secret));
  await isRefused(given, await shared("shared", Buffer.from(pem)));
  await isRefused(given, await shared("shared", secret, "HS512"));
  assert.equal(keys.requests, 0);
});

test("named: the issuer is the authority on names, but not on administrators", async (t) => {
  const keys = await KeyServer.start(t);
  const given = await world(t, { jwtIssuers: [trusting({ jwksUrl: keys.url, accounts: "named", nameClaim: "sub" })] });
  await putUser(given.backend, "bob", { roles: ["blue"] });
  const named = async (sub: string) => by(given, await keys.sign(claimsAt(given, { sub, "_couchdb.roles": ["red"] })));
  assert.deepEqual(await named("bob"), { name: "bob", roles: ["blue", "red"], method: "jwt" });
  assert.equal((await named("Zoë")).name, "Zoë", "made at first sight");
  for (const name of [admin.name, "_admin", "a:b", "x".repeat(200)]) {
    await isRefused(given, await keys.sign(claimsAt(given, { sub: name })), name);
  }
});

test("Roles cannot be forged: a system role is given by the map alone", async (t) => {
  const keys = await KeyServer.start(t);
  const map = { "couch-admins": "_admin", editors: "editor" };
  const roles = { claim: "realm_access.roles", map };
  const given = await world(t, { jwtIssuers: [trusting({ jwksUrl: keys.url, roles })] });
  const withRoles = async (sub: string, given_: readonly string[]) =>
    (await by(given, await keys.sign(claimsAt(given, { sub, realm_access: { roles: given_ } })))).roles;
  assert.deepEqual(await withRoles("1", ["_admin", "editors", "other", "__proto__", "editors"]), ["editor"]);
  assert.deepEqual(await withRoles("2", ["couch-admins"]), ["_admin"]);
});

test("without createAccounts only linked identities come in; a later account of the name inherits nothing", async (t) => {
  const keys = await KeyServer.start(t);
  const jwtIssuers = [trusting({ jwksUrl: keys.url, createAccounts: false })];
  const given = await world(t, { jwtIssuers });
  await isRefused(given, await keys.sign(claimsAt(given)));

  const open = await world(t, { ...given, jwtIssuers: [trusting({ jwksUrl: keys.url })] });
  const token = await keys.sign(claimsAt(open));
  assert.equal((await by(open, token)).name, "ada");
  assert.equal((await by(given, token)).name, "ada");
  await changeUser(open.backend, "ada", { _deleted: true });
  await isRefused(given, token);
  await putUser(open.backend, "ada", {});
  await isRefused(given, token);
  assert.match(String((await by(open, token)).name), /^ada-/, "the name and its database are somebody else's");
});

test("fifty requests at once of somebody new make one account", async (t) => {
  const keys = await KeyServer.start(t);
  const given = await world(t, { jwtIssuers: [trusting({ jwksUrl: keys.url })] });
  const tokens = await Promise.all(
    Array.from({ length: 50 }, (_, jti) => keys.sign(claimsAt(given, { jti: String(jti) }))),
  );
  const names = await Promise.all(tokens.map(async (token) => (await by(given, token)).name));
  assert.deepEqual([...new Set(names)], ["ada"]);
});
