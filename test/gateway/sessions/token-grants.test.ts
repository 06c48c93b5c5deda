import assert from "node:assert/strict";
import { test } from "node:test";
import type { TokenReply } from "../../../protocol/token.js";
import type { Identified } from "../../../server/gateway/identify.js";
import { admin, changeUser, lives, origin, refused, sessions, type World, world } from "../../helpers/gateway-world.js";

const password = "long enough";

async function signedUp(given: World): Promise<TokenReply> {
  await given.gateway.signUp({ name: "ada", password });
  return byPassword(given, "ada", password);
}

async function byPassword({ gateway }: World, username: string, secret: string): Promise<TokenReply> {
  const { status, body } = await gateway.grantToken({ grant_type: "password", username, password: secret }, origin);
  assert.equal(status, 200);
  return body as TokenReply;
}

/** The new pair, or the refusal's error. */
async function refresh({ gateway }: World, token: string): Promise<TokenReply | string> {
  const { status, body } = await gateway.grantToken({ grant_type: "refresh_token", refresh_token: token }, origin);
  if ("error" in body) {
    assert.equal(status, 400);
    return body.error;
  }
  return body;
}

async function refreshed(given: World, token: string): Promise<TokenReply> {
  const reply = await refresh(given, token);
  assert.ok(typeof reply !== "string", `refused: ${reply}`);
  return reply;
}

function by({ gateway }: World, { access_token: token }: TokenReply): Promise<Identified> {
  return Promise.resolve().then(() => gateway.identify({ authorization: `Bearer ${token}`, ...origin }));
}

test("a password gives a pair of tokens, and the access token says who one is at once", async (t) => {
  const given = await world(t);
  const pair = await signedUp(given);
  assert.equal(pair.token_type, "bearer");
  assert.equal(pair.expires_in, 900);
  const expected = { name: "ada", roles: [], method: "jwt" };
  assert.deepEqual((await by(given, pair)).identity, expected);
  const again = given.gateway.identify({ authorization: `Bearer ${pair.access_token}`, ...origin });
  assert.ok(!(again instanceof Promise), "at once");
  assert.deepEqual(again.identity, expected);
  const root = await by(given, await byPassword(given, admin.name, admin.password));
  assert.deepEqual(root.identity.roles, ["_admin"]);
});

test("other roles end what was handed out before; a new token has them", async (t) => {
  const given = await world(t);
  const pair = await signedUp(given);
  await changeUser(given.backend, "ada", { roles: ["blue", "_admin"] });
  await assert.rejects(by(given, pair), refused("unauthorized"));
  assert.equal(await refresh(given, pair.refresh_token), "invalid_grant");
  assert.deepEqual((await by(given, await byPassword(given, "ada", password))).identity.roles, ["blue"]);
});

test("an expired token, and one from before a new password or the end of the account, is refused", async (t) => {
  const given = await world(t);
  const { backend, clock } = given;
  const pair = await signedUp(given);
  const reason = "The access token is not valid or has expired.";
  clock.advance(900);
  await assert.rejects(by(given, pair), refused("unauthorized", reason));
  const second = await refreshed(given, pair.refresh_token);
  assert.equal((await by(given, second)).identity.name, "ada");

  await changeUser(backend, "ada", { salt: "0".repeat(32) });
  await assert.rejects(by(given, second), refused("unauthorized", reason));
  assert.equal(await refresh(given, second.refresh_token), "invalid_grant");
  await changeUser(backend, "ada", { _deleted: true });
  await assert.rejects(by(given, second), refused("unauthorized", reason));
});

test("refusals are OAuth's", async (t) => {
  const given = await world(t);
  await signedUp(given);
  const ask = async (body: unknown): Promise<string> => {
    const reply = await given.gateway.grantToken(body, origin);
    return `${reply.status} ${"error" in reply.body && reply.body.error}`;
  };
  assert.equal(await ask({ grant_type: "password", username: "ada", password: "no" }), "401 invalid_grant");
  assert.equal(await ask({ grant_type: "password", username: "who", password }), "401 invalid_grant");
  assert.equal(await ask({ grant_type: "password", username: "ada" }), "400 invalid_request");
  assert.equal(await ask({ grant_type: "password", username: ["ada"], password }), "400 invalid_request");
  assert.equal(await ask({ grant_type: "refresh_token" }), "400 invalid_request");
  assert.equal(await ask({ grant_type: "client_credentials" }), "400 unsupported_grant_type");
  for (const body of [undefined, null, [], "x", {}, { grant_type: 1 }])
    assert.equal(await ask(body), "400 invalid_request");
  for (const token of ["", "x", `${"0".repeat(32)}.${"A".repeat(43)}`, "__proto__"]) {
    assert.equal(await refresh(given, token), "invalid_grant");
  }
});

test("only hashes of tokens are kept", async (t) => {
  const given = await world(t);
  const pair = await refreshed(given, (await signedUp(given)).refresh_token);
  const [family] = await given.backend.listDocuments(sessions, {});
  const [, secret] = pair.refresh_token.split(".") as [string, string];
  const text = JSON.stringify(family);
  assert.equal(text.includes(secret) || text.includes(Buffer.from(secret, "base64url").toString("hex")), false);
});

test("a token rotates on use and slides on; a device that was away for weeks comes back", async (t) => {
  const given = await world(t, { tokenLives: lives(100) });
  let pair = await signedUp(given);
  const seen = new Set([pair.refresh_token]);
  for (let round = 0; round < 5; round++) {
    given.clock.advance(99);
    pair = await refreshed(given, pair.refresh_token);
    seen.add(pair.refresh_token);
  }
  assert.equal(seen.size, 6);
  given.clock.advance(100);
  assert.equal(await refresh(given, pair.refresh_token), "invalid_grant");
});

test("a client whose answer got lost may ask again within the grace, and both have the same", async (t) => {
  const given = await world(t);
  const first = await signedUp(given);
  const lost = await refreshed(given, first.refresh_token);
  given.clock.advance(10);
  const again = await refreshed(given, first.refresh_token);
  assert.equal(again.refresh_token, lost.refresh_token);
  given.clock.advance(3600);
  await refreshed(given, again.refresh_token);
});

test("a token used again after the grace ends its family, for the thief and for the robbed", async (t) => {
  const given = await world(t);
  const first = await signedUp(given);
  const other = await byPassword(given, "ada", password);
  const second = await refreshed(given, first.refresh_token);
  given.clock.advance(11);
  assert.equal(await refresh(given, first.refresh_token), "invalid_grant");
  assert.equal(await refresh(given, second.refresh_token), "invalid_grant");
  await refreshed(given, other.refresh_token);
});

test("a token from before the last one ends its family, even within the grace", async (t) => {
  const given = await world(t);
  const first = await signedUp(given);
  const second = await refreshed(given, first.refresh_token);
  const third = await refreshed(given, second.refresh_token);
  assert.equal(await refresh(given, first.refresh_token), "invalid_grant");
  assert.equal(await refresh(given, third.refresh_token), "invalid_grant");
});

test("two requests at once with one token: one writes, both are given the same successor", async (t) => {
  const given = await world(t);
  const first = await signedUp(given);
  const before = given.backend.calls.get("putDocument") ?? 0;
  const pairs = await Promise.all(Array.from({ length: 4 }, () => refreshed(given, first.refresh_token)));
  assert.equal(new Set(pairs.map((pair) => pair.refresh_token)).size, 1);
  const [family] = await given.backend.listDocuments(sessions, {});
  assert.match(String(family?._rev), /^2-/, "one rotation was written");
  assert.ok((given.backend.calls.get("putDocument") ?? 0) - before > 1, "and the others tried");
  await refreshed(given, pairs[0]?.refresh_token as string);
});

test("a family that is revoked stays so, and revoking nothing is no error", async (t) => {
  const given = await world(t);
  const { gateway } = given;
  const pair = await signedUp(given);
  assert.deepEqual(await gateway.revoke({ token: pair.refresh_token }), { status: 200, body: { ok: true } });
  assert.equal(await refresh(given, pair.refresh_token), "invalid_grant");
  assert.equal((await gateway.revoke({ token: pair.refresh_token })).status, 200);
  assert.equal((await gateway.revoke({ token: "x" })).status, 200);
  assert.equal((await gateway.revoke({})).status, 400);
});
