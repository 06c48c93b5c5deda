import assert from "node:assert/strict";
import { test } from "node:test";
import { basic } from "../../helpers/http-client.js";
import { startHttpWorld } from "../../helpers/http-world.js";

const password = "long enough";
const nobody = { authorization: null };

test("where I am logged in, and logging out there", async (t) => {
  const { client } = await startHttpWorld(t);
  await client.expect(201, "POST", "/_settee/signup", { body: { name: "ada", password }, ...nobody });
  const logIn = async (device: string): Promise<string> => {
    const reply = await client.expect(200, "POST", "/_session", { body: { name: "ada", password, device }, ...nobody });
    return String(reply.headers["set-cookie"]).split(";", 1)[0] as string;
  };
  const [desk, phone] = [await logIn("desk"), await logIn("phone")];
  const as = (cookie: string) => ({ headers: { cookie }, ...nobody });
  const list = async (cookie: string) =>
    (await client.expect(200, "GET", "/_settee/sessions", as(cookie))).json().sessions as Record<string, unknown>[];
  const session = (await list(desk)).find(({ device }) => device === "phone");
  assert.equal(session?.["current"], false);
  await client.expect(200, "DELETE", `/_settee/sessions/${session?.["id"]}`, as(desk));
  await client.expect(404, "DELETE", `/_settee/sessions/${session?.["id"]}`, as(desk));
  await client.expect(401, "GET", "/_settee/sessions", as(phone));
  assert.equal((await list(desk)).length, 1);

  const tablet = await logIn("tablet");
  const ended = await client.expect(200, "POST", "/_settee/sessions/end", {
    body: { which: "elsewhere" },
    ...as(desk),
  });
  assert.deepEqual([ended.json(), ended.headers["set-cookie"]], [{ ok: true, ended: 1 }, undefined]);
  await client.expect(401, "GET", "/_settee/sessions", as(tablet));
  const here = await client.expect(200, "POST", "/_settee/sessions/end", { body: { which: "here" }, ...as(desk) });
  assert.match(String(here.headers["set-cookie"]), /^AuthSession=;/, "the cookie goes as well");
  await client.expect(401, "GET", "/_settee/sessions", as(desk));
  const bad = await client.expect(400, "POST", "/_settee/sessions/end", {
    body: { which: "there" },
    authorization: basic("ada", password),
  });
  assert.deepEqual(bad.json().fields, { which: "here, elsewhere or everywhere is expected." });
});

test("DELETE of the own session takes the cookie away", async (t) => {
  const { client } = await startHttpWorld(t);
  await client.expect(201, "POST", "/_settee/signup", { body: { name: "ada", password }, ...nobody });
  const reply = await client.expect(200, "POST", "/_session", { body: { name: "ada", password }, ...nobody });
  const options = { headers: { cookie: String(reply.headers["set-cookie"]).split(";", 1)[0] as string }, ...nobody };
  const [own] = (await client.expect(200, "GET", "/_settee/sessions", options)).json().sessions;
  const gone = await client.expect(200, "DELETE", `/_settee/sessions/${own.id}`, options);
  assert.match(String(gone.headers["set-cookie"]), /^AuthSession=;/);
});

test("jwks.json is for everybody, and holds no secret", async (t) => {
  const { client } = await startHttpWorld(t);
  const reply = await client.expect(200, "GET", "/_settee/jwks.json", nobody);
  assert.deepEqual(reply.json(), { keys: [] });
  assert.equal(reply.headers["cache-control"], "public, max-age=300");
});
