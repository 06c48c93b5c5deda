import assert from "node:assert/strict";
import { test } from "node:test";
import type { TokenReply } from "../../../protocol/token.js";
import type { Identified } from "../../../server/gateway/identify.js";
import type { Caller } from "../../../server/gateway/sessions/log-ins.js";
import {
  changeUser,
  logOut,
  origin,
  refused,
  sentBack,
  sessions,
  users,
  type World,
  world,
} from "../../helpers/gateway-world.js";

const lockOut = { mode: "enforce", threshold: 5, maxLifetime: 300_000, maxObjects: 10_000 } as const;
const ada = { name: "ada", password: "long enough" };

async function cookieOf({ gateway }: World, device?: string, agent?: string): Promise<string> {
  const body = { ...ada, ...(device === undefined ? {} : { device }) };
  return sentBack((await gateway.logIn(body, { ...origin, agent })).setCookie);
}

async function tokensOf({ gateway }: World, device?: string): Promise<TokenReply> {
  const grant = { grant_type: "password", username: ada.name, password: ada.password, ...(device && { device }) };
  return (await gateway.grantToken(grant, origin)).body as TokenReply;
}

const byCookie = ({ gateway }: World, cookie: string): Promise<Identified> =>
  Promise.resolve().then(() => gateway.identify({ cookie, ...origin }));
const byToken = ({ gateway }: World, { access_token: token }: TokenReply): Promise<Identified> =>
  Promise.resolve().then(() => gateway.identify({ authorization: `Bearer ${token}`, ...origin }));

async function nameOf(identified: Promise<Identified>): Promise<string | null> {
  return (await identified).identity.name;
}

async function callerOf(identified: Promise<Identified>): Promise<Caller> {
  const { identity, standing } = await identified;
  return { name: identity.name as Caller["name"], standing };
}

async function isRefreshed({ gateway }: World, pair: TokenReply): Promise<boolean> {
  const grant = { grant_type: "refresh_token", refresh_token: pair.refresh_token };
  return (await gateway.grantToken(grant, origin)).status === 200;
}

test("sessions are listed with their devices, the one that asks among them", async (t) => {
  const given = await world(t);
  await given.gateway.signUp(ada);
  const cookie = await cookieOf(given, undefined, "Browser/1.0");
  given.clock.advance(10);
  const pair = await tokensOf(given, "Ada's phone");
  const listed = await given.gateway.logIns.list(await callerOf(byToken(given, pair)));
  assert.deepEqual(
    listed.map(({ id: _id, ...entry }) => entry),
    [
      {
        kind: "token",
        device: "Ada's phone",
        created_at: "2026-01-01T00:00:10.000Z",
        last_used_at: "2026-01-01T00:00:10.000Z",
        expires_at: "2026-04-01T00:00:10.000Z",
        current: true,
      },
      {
        kind: "cookie",
        user_agent: "Browser/1.0",
        created_at: "2026-01-01T00:00:00.000Z",
        last_used_at: "2026-01-01T00:00:00.000Z",
        expires_at: "2026-01-01T00:10:00.000Z",
        current: false,
      },
    ],
  );
  assert.equal((await given.gateway.logIns.list(await callerOf(byCookie(given, cookie))))[1]?.current, true);
});

test("one session ends by its id: its cookie, or its access and refresh tokens, and no other", async (t) => {
  const given = await world(t);
  const { gateway } = given;
  await gateway.signUp(ada);
  await gateway.signUp({ ...ada, name: "bob" });
  const cookies = [await cookieOf(given, "one"), await cookieOf(given, "two")] as const;
  const pairs = [await tokensOf(given, "three"), await tokensOf(given, "four")] as const;
  const caller = await callerOf(byCookie(given, cookies[1]));
  const idOf = async (device: string): Promise<string> =>
    (await gateway.logIns.list(caller)).find((entry) => entry.device === device)?.id ?? "";

  const bob = { name: "bob" as Caller["name"] };
  await assert.rejects(gateway.logIns.end(bob, await idOf("one")), refused("not_found"), "another user's");
  for (const id of ["", "x", "__proto__", "../admins", `${"0".repeat(16)}-${"0".repeat(32)}`]) {
    await assert.rejects(gateway.logIns.end(caller, id), refused("not_found"), id);
  }
  await gateway.logIns.end(caller, await idOf("one"));
  await gateway.logIns.end(caller, await idOf("three"));
  assert.equal(await nameOf(byCookie(given, cookies[0])), null);
  assert.equal(await nameOf(byCookie(given, cookies[1])), "ada");
  await assert.rejects(byToken(given, pairs[0]), refused("unauthorized"));
  assert.equal(await isRefreshed(given, pairs[0]), false);
  assert.equal(await nameOf(byToken(given, pairs[1])), "ada");
  assert.equal(await isRefreshed(given, pairs[1]), true);
  assert.equal((await gateway.logIns.list(caller)).length, 2);
});

test("here, elsewhere, everywhere", async (t) => {
  const given = await world(t);
  const { gateway } = given;
  await gateway.signUp(ada);
  const cookies = [await cookieOf(given), await cookieOf(given), await cookieOf(given)] as const;
  const pair = await tokensOf(given);
  const alive = async (): Promise<readonly boolean[]> => [
    ...(await Promise.all(cookies.map(async (cookie) => (await nameOf(byCookie(given, cookie))) === "ada"))),
    await byToken(given, pair).then(
      () => true,
      () => false,
    ),
  ];
  const as = async (cookie: string): Promise<Caller> => callerOf(byCookie(given, cookie));
  assert.deepEqual(await alive(), [true, true, true, true]);
  assert.deepEqual(await gateway.logIns.endMany(await as(cookies[0]), "here"), { ok: true, ended: 1 });
  assert.deepEqual(await alive(), [false, true, true, true]);
  assert.deepEqual(await gateway.logIns.endMany(await as(cookies[1]), "elsewhere"), { ok: true, ended: 2 });
  assert.deepEqual(await alive(), [false, true, false, false]);
  assert.deepEqual(await gateway.logIns.endMany(await as(cookies[1]), "everywhere"), { ok: true, ended: 1 });
  assert.deepEqual(await alive(), [false, false, false, false]);
  assert.equal(await isRefreshed(given, pair), false);
});

test("Log-out really logs out: another password, other roles and the end of the account end everything", async (t) => {
  const changes: Record<string, Record<string, unknown>> = {
    "another password": { salt: "0".repeat(32), derived_key: "1".repeat(64) },
    "a role more": { roles: ["red", "blue"] },
    "a role less": { roles: [] },
    "the end of the account": { _deleted: true },
  };
  for (const [name, members] of Object.entries(changes)) {
    const given = await world(t);
    await given.gateway.signUp(ada);
    await changeUser(given.backend, "ada", { roles: ["red"] });
    const cookie = await cookieOf(given);
    const pair = await tokensOf(given);
    assert.equal(await nameOf(byCookie(given, cookie)), "ada");
    assert.equal(await nameOf(byToken(given, pair)), "ada");
    await changeUser(given.backend, "ada", members);
    assert.equal(await nameOf(byCookie(given, cookie)), null, name);
    await assert.rejects(byToken(given, pair), refused("unauthorized"), name);
    assert.equal(await isRefreshed(given, pair), false, name);
  }
});

test("a stronger hash of the same password, with its salt, ends nothing", async (t) => {
  const given = await world(t);
  await given.gateway.signUp(ada);
  const [cookie, pair] = [await cookieOf(given), await tokensOf(given)];
  await changeUser(given.backend, "ada", { iterations: 3, derived_key: "1".repeat(64) });
  assert.equal(await nameOf(byCookie(given, cookie)), "ada");
  assert.equal(await nameOf(byToken(given, pair)), "ada");
});

test("a renewed cookie belongs to the same session, and a log-out with the younger ends the older", async (t) => {
  const given = await world(t);
  const { gateway, clock } = given;
  await gateway.signUp(ada);
  const first = await cookieOf(given);
  clock.advance(61);
  const renewals = await Promise.all([1, 2, 3].map(() => byCookie(given, first)));
  const [second] = renewals.map(({ setCookie }) => sentBack(setCookie as string)) as [string];
  assert.equal(new Set(renewals.map(({ setCookie }) => setCookie)).size, 1, "requests at once get the same cookie");
  clock.advance(5);
  const later = await byCookie(given, first);
  assert.equal(sentBack(later.setCookie as string), second, "and those that come later");
  const listed = await gateway.logIns.list(await callerOf(byCookie(given, second)));
  assert.equal(listed.length, 1);
  assert.equal(listed[0]?.last_used_at, "2026-01-01T00:01:01.000Z");
  assert.equal(listed[0]?.expires_at, "2026-01-01T00:11:01.000Z");

  await logOut(gateway, second);
  for (const cookie of [first, second]) assert.equal(await nameOf(byCookie(given, cookie)), null);
});

test("cookies of log-ins in one second are different, and end one by one", async (t) => {
  const given = await world(t);
  await given.gateway.signUp(ada);
  const cookies = await Promise.all(Array.from({ length: 40 }, () => cookieOf(given)));
  assert.equal(new Set(cookies).size, 40);
  await logOut(given.gateway, cookies[7] as string);
  for (const [index, cookie] of cookies.entries()) {
    assert.equal(await nameOf(byCookie(given, cookie)), index === 7 ? null : "ada", String(index));
  }
});

test("two gateways that made the very same cookie: a log-out ends it for both", async (t) => {
  const given = await world(t);
  await given.gateway.signUp(ada);
  const cookie = await cookieOf(given);
  const [document] = await given.backend.listDocuments(sessions, {});
  const { _rev, ...twin } = { ...document, _id: `${document?._id.slice(0, -4)}0000`, device: "twin" };
  await given.backend.putDocument(sessions, twin);
  assert.equal(await nameOf(byCookie(given, cookie)), "ada");
  await logOut(given.gateway, cookie);
  assert.equal(await nameOf(byCookie(given, cookie)), null);
});

test("raising the timeout revives no cookie, neither a logged-out nor an expired one", async (t) => {
  const given = await world(t);
  const { gateway, backend, clock } = given;
  await gateway.signUp(ada);
  const [ended, expired, used] = [await cookieOf(given), await cookieOf(given), await cookieOf(given)] as const;
  await logOut(gateway, ended);
  clock.advance(300);
  const renewed = sentBack((await byCookie(given, used)).setCookie as string);
  clock.advance(301);
  gateway.configure({ sessionSeconds: 86_400, passwordIterations: 2, lockOut });
  for (const cookie of [ended, expired, used]) assert.equal(await nameOf(byCookie(given, cookie)), null);
  assert.equal(await nameOf(byCookie(given, renewed)), "ada", "what is alive lives on");
  const later = await world(t, { backend, clock, sessionSeconds: 86_400 });
  for (const cookie of [ended, expired, used]) assert.equal(await nameOf(byCookie(later, cookie)), null);
});

test("lowering the timeout ends cookies that are older", async (t) => {
  const given = await world(t);
  await given.gateway.signUp(ada);
  const cookie = await cookieOf(given);
  given.clock.advance(100);
  given.gateway.configure({ sessionSeconds: 60, passwordIterations: 2, lockOut });
  assert.equal(await nameOf(byCookie(given, cookie)), null);
});

test("a cookie that nobody has a record of is worth nothing, well signed or not", async (t) => {
  const given = await world(t);
  await given.gateway.signUp(ada);
  const cookie = await cookieOf(given);
  const [document] = await given.backend.listDocuments(sessions, {});
  await given.backend.putDocument(sessions, { ...document, _id: document?._id as string, _deleted: true });
  assert.equal(await nameOf(byCookie(given, cookie)), null);
});

test("an account of the same name that comes later is not the one before", async (t) => {
  const given = await world(t);
  await given.gateway.signUp(ada);
  const [cookie, pair] = [await cookieOf(given), await tokensOf(given)];
  const { backend, gateway } = given;
  await changeUser(backend, "ada", { _deleted: true });
  const root = { name: null, roles: ["_admin"], method: "default" } as const;
  const document = { _id: "org.couchdb.user:ada", name: "ada", type: "user", roles: [], password: ada.password };
  await backend.putDocument(users, await gateway.prepareUserDocument(document, undefined, root));
  assert.equal(await nameOf(byCookie(given, cookie)), null);
  await assert.rejects(byToken(given, pair), refused("unauthorized"));
});

test("what another gateway ends, ends here; sessions of many are read once", async (t) => {
  const given = await world(t);
  await given.gateway.signUp(ada);
  const other = await world(t, { backend: given.backend, clock: given.clock });
  const cookie = await cookieOf(given);
  assert.equal(await nameOf(byCookie(other, cookie)), "ada");
  const before = given.backend.calls.get("listDocuments");
  for (let count = 0; count < 20; count++) await byCookie(other, cookie);
  assert.equal(given.backend.calls.get("listDocuments"), before);
  assert.ok(!(other.gateway.identify({ cookie, ...origin }) instanceof Promise), "at once");
  await logOut(given.gateway, cookie);
  assert.equal(await nameOf(byCookie(other, cookie)), null);
});

test("a thousand sessions and no more: the one that was used least lately makes room", async (t) => {
  const given = await world(t);
  await given.gateway.signUp(ada);
  const first = await cookieOf(given, "first");
  given.clock.advance(1);
  const second = await cookieOf(given, "second");
  const [template] = await given.backend.listDocuments(sessions, {});
  given.clock.advance(1);
  for (let count = 0; count < 998; count++) {
    const { _rev, ...copy } = { ...template, usedAt: given.clock.now(), createdAt: given.clock.now() };
    const id = `${template?._id.slice(0, -4)}${1000 + count}`;
    await given.backend.putDocument(sessions, { ...copy, _id: id, cookies: [], device: "filler" });
  }
  assert.equal(await nameOf(byCookie(given, first)), "ada");
  const last = await cookieOf(given, "last");
  assert.equal(await nameOf(byCookie(given, first)), null);
  for (const cookie of [second, last]) assert.equal(await nameOf(byCookie(given, cookie)), "ada");
});

test("lives of tokens by role: the shortest counts", async (t) => {
  const byRole = { kiosk: { accessSeconds: 60, refreshSeconds: 600 }, guest: { accessSeconds: 30 } };
  const given = await world(t, { tokenLives: { accessSeconds: 900, refreshSeconds: 9000, byRole } });
  await given.gateway.signUp(ada);
  const life = async (roles: readonly string[]): Promise<readonly [number, number]> => {
    await changeUser(given.backend, "ada", { roles });
    const pair = await tokensOf(given);
    const [entry] = await given.gateway.logIns.list(await callerOf(byToken(given, pair)));
    return [pair.expires_in, (Date.parse(entry?.expires_at ?? "") - given.clock.now()) / 1000];
  };
  assert.deepEqual(await life([]), [900, 9000]);
  assert.deepEqual(await life(["kiosk"]), [60, 600]);
  assert.deepEqual(await life(["kiosk", "guest"]), [30, 600]);
  assert.deepEqual(await life(["__proto__"]), [900, 9000]);
});
