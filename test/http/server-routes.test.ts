import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type SetteeHere, startSetteeHere } from "../helpers/settee-here.js";

let here: SetteeHere;
before(async () => {
  here = await startSetteeHere();
});
after(() => here.close());

describe("the server", () => {
  test("says who it is, always alike", async () => {
    const { couchdb, version, vendor, uuid } = (await here.client.get("/")).json();
    assert.equal(couchdb, "Welcome");
    assert.equal(version, "3.5.0");
    assert.equal(vendor.name, "Settee");
    assert.match(uuid, /^[0-9a-f]{32}$/);
    assert.equal((await here.client.get("/")).json().uuid, uuid);
  });

  test("is up and well", async () => {
    assert.equal((await here.client.get("/_up")).json().status, "ok");
    assert.equal((await here.client.get("/_settee/health")).json().status, "ok");
  });

  test("has no icon, for a year", async () => {
    const reply = await here.client.get("/favicon.ico");
    assert.equal(reply.status, 404);
    assert.equal(reply.headers["cache-control"], "public, max-age=31536000");
  });

  test("sends /_utils to its folder, where nothing is and nothing runs", async () => {
    const folder = await here.client.get("/_utils");
    assert.equal(folder.status, 301);
    assert.equal(folder.headers.location, `${here.url}/_utils/`);
    for (const path of ["/_utils/", "/_utils/index.html", "/_utils/%2e%2e%2fpackage.json"]) {
      const reply = await here.client.get(path);
      assert.equal(reply.status, 404, path);
      assert.equal(reply.text, "Not found.");
      assert.match(String(reply.headers["content-security-policy"]), /default-src 'self'/);
      assert.doesNotMatch(String(reply.headers["content-security-policy"]), /unsafe/);
    }
  });

  test("knows no other paths of its own", async () => {
    assert.equal((await here.client.get("/_settee/none/such/thing")).status, 404);
    assert.equal((await here.client.get("/_none/such/thing/at/all")).status, 401);
    const reply = await here.client.get("/_none/such/thing/at/all", { authorization: here.adminAuthorization });
    assert.equal(reply.status, 404);
  });
});

describe("/_uuids", () => {
  const uuidsOf = async (query: string): Promise<string[]> => (await here.client.get(`/_uuids${query}`)).json().uuids;

  test("gives as many as were asked for, all different and in order", async () => {
    assert.equal((await uuidsOf("")).length, 1);
    assert.equal((await uuidsOf("?count=0")).length, 0);
    const many = [...(await uuidsOf("?count=1000")), ...(await uuidsOf("?count=1000"))];
    assert.equal(new Set(many).size, 2000);
    for (const uuid of many) assert.match(uuid, /^[0-9a-f]{32}$/);
  });

  test("may not be kept by a cache", async () => {
    const { headers } = await here.client.get("/_uuids");
    assert.equal(headers["cache-control"], "no-cache");
    assert.match(String(headers.etag), /^"[0-9a-f]{32}"$/);
  });

  for (const [count, reason] of [
    ["1001", "count parameter too large"],
    ["99999999999999999999", "count must be a positive integer"],
    ["-1", "count must be a positive integer"],
    ["1.5", "count must be a positive integer"],
    ["", "count must be a positive integer"],
    ["abc", "count must be a positive integer"],
  ]) {
    test(`refuses a count of ${count || "nothing"}`, async () => {
      const reply = await here.client.get(`/_uuids?count=${count}`);
      assert.equal(reply.status, 400);
      assert.deepEqual(reply.json(), { error: "bad_request", reason });
    });
  }
});

describe("sign-up, session and tokens", () => {
  const ada = { name: "ada", password: "lovelace-1815" };
  const cookieOf = (setCookie: string[] | undefined) => String(setCookie?.[0]).split(";")[0] as string;

  test("lead from nobody to a user and back", async () => {
    const { client } = here;
    const created = await client.post("/_settee/signup", ada);
    assert.equal(created.status, 201);
    assert.deepEqual(created.json(), { ok: true, name: "ada", database: "userdb-616461" });
    assert.equal((await client.post("/_settee/signup", ada)).status, 409);

    const loggedIn = await client.post("/_session", ada);
    assert.deepEqual(loggedIn.json(), { ok: true, name: "ada", roles: [] });
    const cookie = cookieOf(loggedIn.headers["set-cookie"]);
    const whoAmI = async () => (await client.get("/_session", { headers: { cookie } })).json();
    assert.equal((await whoAmI()).userCtx.name, "ada");
    assert.equal((await whoAmI()).info.authenticated, "cookie");

    const loggedOut = await client.send("DELETE", "/_session", { headers: { cookie } });
    assert.deepEqual(loggedOut.json(), { ok: true });
    assert.match(String(loggedOut.headers["set-cookie"]), /^AuthSession=;/);
    assert.equal((await whoAmI()).userCtx.name, null);
  });

  test("take forms as well as JSON, and nothing else", async () => {
    const form = "application/x-www-form-urlencoded";
    const { name, password } = ada;
    const text = `name=${name}&password=${password}`;
    const send = (type: string) => here.client.post("/_session", text, { headers: { "content-type": type } });
    assert.equal((await send(form)).status, 200);
    assert.equal((await send("text/plain")).status, 415);
  });

  test("redirect within this server only", async () => {
    const statusFor = async (path: string) => here.client.post(`/_session?next=${encodeURIComponent(path)}`, ada);
    const reply = await statusFor("/there?x=1");
    assert.equal(reply.status, 302);
    assert.equal(reply.headers.location, `${here.url}/there?x=1`);
    for (const path of [
      "//evil.example",
      "/\\evil.example",
      "https://evil.example",
      "there",
      "",
      "/a\r\nX: y",
      "/\u00fc",
    ]) {
      const refused = await statusFor(path);
      assert.equal(refused.status, 400, JSON.stringify(path));
      assert.equal(refused.headers["set-cookie"], undefined);
    }
  });

  test("redirect a failure where the form says", async () => {
    const reply = await here.client.post("/_session?fail=/sorry", { name: "ada", password: "wrong" });
    assert.equal(reply.status, 302);
    assert.equal(reply.headers.location, `${here.url}/sorry`);
    assert.equal((await here.client.post("/_session", { name: "ada", password: "wrong" })).status, 401);
  });

  test("ask for a log-in when told to", async () => {
    assert.equal((await here.client.get("/_session")).status, 200);
    assert.equal((await here.client.get("/_session?basic=true")).status, 401);
  });

  test("give tokens that work, and that no cache may keep", async () => {
    const { client } = here;
    const { name: username, password } = ada;
    const reply = await client.post("/_settee/token", { grant_type: "password", username, password });
    assert.equal(reply.status, 200);
    assert.equal(reply.headers["cache-control"], "no-store");
    const { access_token: access, refresh_token: refresh } = reply.json();
    const { userCtx } = (await client.get("/_session", { authorization: `Bearer ${access}` })).json();
    assert.equal(userCtx.name, "ada");

    assert.deepEqual((await client.post("/_settee/token/revoke", { token: refresh })).json(), { ok: true });
    const again = await client.post("/_settee/token", { grant_type: "refresh_token", refresh_token: refresh });
    assert.equal(again.status, 400);
    assert.equal(again.json().error, "invalid_grant");
  });

  test("tell what is wrong with each field of a sign-up", async () => {
    const reply = await here.client.post("/_settee/signup", { name: "_x", password: "short", roles: ["_admin"] });
    assert.equal(reply.status, 400);
    assert.deepEqual(Object.keys(reply.json().fields).toSorted(), ["name", "password", "roles"]);
  });

  test("take a sign-up as JSON only: a form of another site cannot send that", async () => {
    const headers = { "content-type": "text/plain" };
    assert.equal(
      (await here.client.post("/_settee/signup", { name: "eve", password: "long-enough" }, { headers })).status,
      415,
    );
  });
});
