import assert from "node:assert/strict";
import { createHash, createHmac } from "node:crypto";
import { test } from "node:test";
import type { CouchError } from "../../protocol/errors.js";
import type { Identified } from "../../server/gateway/identify.js";
import {
  admin,
  basic,
  changeUser,
  logOut,
  newGateway,
  origin,
  putUser,
  refused,
  sentBack,
  users,
  type World,
  world,
} from "../helpers/gateway-world.js";

const wrong = "Name or password is incorrect.";
const locked = "Account is temporarily locked due to multiple authentication failures";

async function withBob(given: World, password = "pw"): Promise<void> {
  const { gateway, backend } = given;
  const document = { _id: "org.couchdb.user:bob", name: "bob", type: "user", roles: ["red"], password };
  const root = { name: null, roles: ["_admin"], method: "default" } as const;
  await backend.putDocument(users, await gateway.prepareUserDocument(document, undefined, root));
}

async function who(answer: Identified | Promise<Identified>): Promise<string> {
  const { name, roles, method } = (await answer).identity;
  return `${name} [${roles}] ${method}`;
}

test("Basic: right, wrong, and everything that is neither", async (t) => {
  const given = await world(t);
  const { gateway } = given;
  await withBob(given, "p:w");
  const by = (authorization: string) => Promise.resolve().then(() => gateway.identify({ authorization, ...origin }));

  assert.equal(await who(by(basic("bob", "p:w"))), "bob [red] default");
  assert.equal(await who(by(basic(admin.name, admin.password))), "admin [_admin] default");
  for (const authorization of [basic("bob", "no"), basic("who", "p:w"), basic("who", ""), "Basic OnB3"]) {
    await assert.rejects(by(authorization), refused("unauthorized", wrong), authorization);
  }
  const invalid = "Authorization header has invalid base64 value";
  await assert.rejects(by("Basic !!!"), refused("bad_request", invalid));
  for (const authorization of [
    "Basic anVzdG5hbWU=",
    "Basic ",
    "garbage",
    "Bearer abc",
    "basic eDp5",
    basic("_", "_"),
  ]) {
    assert.equal(await who(by(authorization)), "null [] anonymous", authorization);
  }
  assert.equal(await who(gateway.identify(origin)), "null [] anonymous");
});

test("a password that was right before is known at once, until the document changes or its time is over", async (t) => {
  const given = await world(t, { verifiedPasswordSeconds: 60 });
  const { gateway, backend, clock } = given;
  await withBob(given);
  const credentials = { authorization: basic("bob", "pw"), ...origin };
  assert.ok(gateway.identify(credentials) instanceof Promise);
  await gateway.identify(credentials);
  assert.equal(gateway.identify(credentials) instanceof Promise, false);
  const other = gateway.identify({ ...credentials, authorization: basic("bob", "no") });
  assert.ok(other instanceof Promise);
  await assert.rejects(other, refused("unauthorized", wrong));

  await changeUser(backend, "bob", { roles: ["blue"] });
  assert.equal(await who(gateway.identify(credentials)), "bob [blue] default");
  clock.advance(59);
  await gateway.identify(credentials);
  clock.advance(2);
  assert.ok(gateway.identify(credentials) instanceof Promise);

  await gateway.identify(credentials);
  await changeUser(backend, "bob", { salt: "changed" });
  await assert.rejects(async () => gateway.identify(credentials), refused("unauthorized", wrong));
  await changeUser(backend, "bob", { _deleted: true });
  await assert.rejects(async () => gateway.identify(credentials), refused("unauthorized", wrong));
});

test("no document makes anybody an administrator, nor loses an administrator their name", async (t) => {
  const { gateway, backend } = await world(t);
  const sha = createHash("sha1").update("pwsalt").digest("hex");
  const hash = { password_scheme: "simple", salt: "salt", password_sha: sha };
  await putUser(backend, "eve", { ...hash, roles: ["_admin", "red"] });
  assert.equal(await who(gateway.identify({ authorization: basic("eve", "pw"), ...origin })), "eve [red] default");
  await putUser(backend, admin.name, { ...hash, roles: [] });
  await assert.rejects(
    async () => gateway.identify({ authorization: basic(admin.name, "pw"), ...origin }),
    refused("unauthorized"),
  );
  await assert.rejects(gateway.signUp({ name: admin.name, password: "long enough" }), refused("conflict"));
});

test("five wrong passwords lock the pair of name and address, until the time is over", async (t) => {
  const given = await world(t);
  const { gateway, clock } = given;
  await withBob(given);
  const attempt = (password: string, address = "a") =>
    Promise.resolve().then(() => gateway.identify({ authorization: basic("bob", password), address }));
  await attempt("pw");
  for (let count = 0; count < 5; count++) await assert.rejects(attempt(`no${count}`), refused("unauthorized", wrong));
  await assert.rejects(attempt("no"), refused("forbidden", locked));
  await assert.rejects(attempt("pw"), refused("forbidden", locked), "the right one is not told from a wrong one");
  await assert.rejects(gateway.logIn({ name: "bob", password: "pw" }, { address: "a" }), refused("forbidden", locked));
  const grant = { grant_type: "password", username: "bob", password: "pw" };
  await assert.rejects(gateway.grantToken(grant, { address: "a" }), refused("forbidden", locked));
  assert.equal(await who(attempt("pw", "b")), "bob [red] default");
  clock.advance(301);
  assert.equal(await who(attempt("pw")), "bob [red] default");
});

test("a success forgets earlier failures", async (t) => {
  const given = await world(t);
  await withBob(given);
  const attempt = (password: string) =>
    Promise.resolve().then(() => given.gateway.identify({ authorization: basic("bob", password), ...origin }));
  for (let round = 0; round < 4; round++) {
    for (let count = 0; count < 4; count++) await assert.rejects(attempt("no"), refused("unauthorized"));
    assert.equal(await who(attempt("pw")), "bob [red] default");
  }
});

test("a hundred guesses at once are a hundred failures; a hundred right ones are one attempt", async (t) => {
  const given = await world(t);
  await withBob(given);
  const attempt = (password: string, address: string) =>
    Promise.resolve().then(() => given.gateway.identify({ authorization: basic("bob", password), address }));
  const right = await Promise.allSettled(Array.from({ length: 100 }, () => attempt("pw", "a")));
  assert.deepEqual(new Set(right.map(({ status }) => status)), new Set(["fulfilled"]));
  const guesses = await Promise.allSettled(Array.from({ length: 100 }, (_, index) => attempt(`no${index}`, "b")));
  const statuses = guesses.map((each) => ((each as PromiseRejectedResult).reason as CouchError).status);
  assert.equal(statuses.filter((status) => status === 401).length, 5);
  assert.equal(statuses.filter((status) => status === 403).length, 95);
});

test("the cookie is what CouchDB makes, and works", async (t) => {
  const secret = "a secret for tests only";
  const given = await world(t, { secret });
  const { gateway, backend, clock } = given;
  await withBob(given);
  const { identity, setCookie } = await gateway.logIn({ name: "bob", password: "pw" }, origin);
  assert.deepEqual(identity, { name: "bob", roles: ["red"], method: "cookie" });
  assert.match(
    setCookie,
    /^AuthSession=[A-Za-z0-9_-]+; Version=1; Expires=\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT; Max-Age=600; Path=\/; HttpOnly$/,
  );
  // As CouchDB's couch_httpd_auth builds it.
  const [document] = await backend.listDocuments(users, {});
  const claim = `bob:${Math.floor(clock.now() / 1000)
    .toString(16)
    .toUpperCase()}`;
  const signature = createHmac("sha256", secret + document?.salt)
    .update(claim)
    .digest();
  const expected = Buffer.concat([Buffer.from(`${claim}:`), signature]).toString("base64url");
  const cookie = sentBack(setCookie);
  assert.equal(cookie, `AuthSession=${expected}`);

  assert.equal(await who(gateway.identify({ cookie: `a=b; ${cookie}; c=d`, ...origin })), "bob [red] cookie");
  const both = { cookie, authorization: basic(admin.name, admin.password), ...origin };
  assert.equal(await who(gateway.identify(both)), "bob [red] cookie", "the cookie beats Basic");
  assert.equal(gateway.identify({ cookie, ...origin }) instanceof Promise, false);
});

test("cookies that prove nothing are passed over, those without sense are refused", async (t) => {
  const given = await world(t);
  const { gateway } = given;
  await withBob(given);
  const { setCookie } = await gateway.logIn({ name: "bob", password: "pw" }, origin);
  const value = sentBack(setCookie).slice("AuthSession=".length);
  const bytes = Buffer.from(value, "base64url");
  const spelled = (text: Buffer | string): string => Buffer.from(text).toString("base64url");
  const asAdmin = spelled(Buffer.concat([Buffer.from("admin"), bytes.subarray(3)]));
  const later = Buffer.from(bytes);
  later[5] = (later[5] as number) ^ 1;
  const tampered = Buffer.from(bytes);
  tampered[tampered.length - 1] = (tampered.at(-1) as number) ^ 1;
  const nothing = ["", '""', "c29tZW9uZTo1RjAwMDAwMDphYmNkZWY", asAdmin, spelled(later), spelled(tampered)];
  nothing.push(spelled(bytes.subarray(0, -1)), spelled("bob:zz:x"), spelled("bob::"), spelled("::"));
  for (const cookie of nothing) {
    const credentials = { cookie: `AuthSession=${cookie}`, ...origin };
    assert.equal(await who(gateway.identify(credentials)), "null [] anonymous", cookie);
    const authorization = basic("bob", "pw");
    assert.equal(await who(gateway.identify({ ...credentials, authorization })), "bob [red] default", cookie);
  }
  const reason = "Malformed AuthSession cookie. Please clear your cookies.";
  for (const cookie of ["garbage", "%%%", spelled("bob"), spelled("bob:5F00")]) {
    const credentials = { cookie: `AuthSession=${cookie}`, ...origin };
    await assert.rejects(async () => gateway.identify(credentials), refused("bad_request", reason), cookie);
  }
});

test("a cookie slides: renewed when a tenth of its life is over, dead at its end", async (t) => {
  const given = await world(t, { cookieSameSite: "Strict" });
  const { gateway, clock } = given;
  await withBob(given);
  const cookie = sentBack((await gateway.logIn({ name: "bob", password: "pw" }, origin)).setCookie);
  clock.advance(60);
  assert.equal((await gateway.identify({ cookie, ...origin })).setCookie, undefined);
  clock.advance(1);
  const { setCookie } = await gateway.identify({ cookie, overTls: true, ...origin });
  assert.match(String(setCookie), /; Path=\/; Secure; HttpOnly; SameSite=Strict$/);
  clock.advance(539);
  assert.equal(await who(gateway.identify({ cookie, ...origin })), "null [] anonymous");
  assert.equal(await who(gateway.identify({ cookie: sentBack(String(setCookie)), ...origin })), "bob [red] cookie");
});

test("a log-out ends the cookie, here and in every other gateway, now and after a start", async (t) => {
  const given = await world(t);
  const { gateway, backend, clock } = given;
  await withBob(given);
  const other = await world(t, { backend, clock });
  const cookie = sentBack((await gateway.logIn({ name: "bob", password: "pw" }, origin)).setCookie);
  assert.equal(await who(other.gateway.identify({ cookie, ...origin })), "bob [red] cookie");
  const cleared = await logOut(gateway, cookie);
  assert.match(cleared, /^AuthSession=; Version=1; Expires=[^;]+; Max-Age=600; Path=\/; HttpOnly$/);
  const later = await world(t, { backend, clock });
  for (const each of [gateway, other.gateway, later.gateway]) {
    assert.equal(await who(each.identify({ cookie, ...origin })), "null [] anonymous");
  }
  await logOut(gateway, cookie);
  assert.match(await logOut(gateway, undefined), /^AuthSession=;/);
});

test("a new password, and the end of the account, end its cookies", async (t) => {
  const given = await world(t);
  const { gateway, backend } = given;
  await withBob(given);
  const cookie = sentBack((await gateway.logIn({ name: "bob", password: "pw" }, origin)).setCookie);
  await changeUser(backend, "bob", { salt: "0".repeat(32) });
  assert.equal(await who(gateway.identify({ cookie, ...origin })), "null [] anonymous");
  const adminCookie = sentBack((await gateway.logIn(admin, origin)).setCookie);
  assert.equal(await who(gateway.identify({ cookie: adminCookie, ...origin })), "admin [_admin] cookie");
  await changeUser(backend, "bob", { _deleted: true });
  assert.equal(await who(gateway.identify({ cookie, ...origin })), "null [] anonymous");
});

test("who fails to log in is told so in CouchDB's words, and loses the cookie of before", async (t) => {
  const given = await world(t);
  await withBob(given);
  const logIn = (body: unknown) => given.gateway.logIn(body, origin);
  for (const body of [{ name: "bob", password: "no" }, { name: "nobody", password: "pw" }, { name: "bob" }]) {
    await assert.rejects(logIn(body), (error: CouchError) => {
      assert.equal(error.reason, wrong);
      assert.match(String(error.headers?.["Set-Cookie"]), /^AuthSession=;/);
      return error.status === 401;
    });
  }
  for (const body of [{}, [], null, "x", { password: "pw" }, { name: 1, password: "x" }, { name: "" }]) {
    await assert.rejects(logIn(body), refused("bad_request", "request body must contain a username"));
  }
});

test("/_session says who one is", async (t) => {
  const { gateway } = await world(t);
  const { identity } = await gateway.identify(origin);
  const handlers = ["cookie", "default"];
  assert.deepEqual(gateway.sessionInfo(identity), {
    ok: true,
    userCtx: { name: null, roles: [] },
    info: { authentication_handlers: handlers },
  });
  assert.throws(() => gateway.sessionInfo(identity, true), refused("unauthorized", "Please login."));
  const root = await gateway.identify({ authorization: basic(admin.name, admin.password), ...origin });
  assert.deepEqual(gateway.sessionInfo(root.identity, true), {
    ok: true,
    userCtx: { name: "admin", roles: ["_admin"] },
    info: { authentication_handlers: handlers, authenticated: "default" },
  });
});

test("proxy headers count only with the secret, and make nobody an administrator", async (t) => {
  const proxySecret = "shared with the proxy";
  const { gateway } = await world(t, { proxySecret });
  const token = (name: string, algorithm = "sha256", secret = proxySecret): string =>
    createHmac(algorithm, secret).update(name).digest("hex");
  const by = (proxy: { userName?: string; roles?: string; token?: string }) =>
    who(gateway.identify({ proxy, ...origin }));

  const roles = "red,,_admin,blue";
  assert.equal(await by({ userName: "pat", roles, token: token("pat") }), "pat [red,blue] proxy");
  assert.equal(await by({ userName: "pat", token: token("pat", "sha1").toUpperCase() }), "pat [] proxy");
  assert.equal(await by({ userName: "admin", roles: "red", token: token("admin") }), "admin [_admin,red] proxy");
  const forged = [
    { userName: "pat" },
    { userName: "pat", token: "" },
    { userName: "pat", token: token("bob") },
    { userName: "pat", token: token("pat", "sha256", "guess") },
    { userName: "pat", token: token("pat").slice(0, 10) },
    { userName: "_x", token: token("_x") },
    { token: token("pat") },
  ];
  for (const proxy of forged) assert.equal(await by(proxy), "null [] anonymous", JSON.stringify(proxy));

  const without = await world(t);
  const proxy = { userName: "pat", token: token("pat", "sha256", "") };
  assert.equal(await who(without.gateway.identify({ proxy, ...origin })), "null [] anonymous");
});

test("a secret that could be guessed from a cookie stops the start", async (t) => {
  const { backend, clock } = await world(t);
  assert.throws(() => newGateway(backend, clock, { secret: "short" }), RangeError);
});
