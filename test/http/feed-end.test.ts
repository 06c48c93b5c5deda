/** Open feeds end with what their reader was let in for. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { FeedReader } from "../helpers/feed-reader.js";
import { openFeed } from "../helpers/feed-reader.js";
import { basic } from "../helpers/http-client.js";
import { type HttpWorld, startHttpWorld } from "../helpers/http-world.js";
import type { Cleanup } from "../helpers/temp-store.js";
import { waitFor } from "../helpers/wait-for.js";

const password = "long enough";
type Headers = Readonly<Record<string, string>>;

async function start(t: Cleanup): Promise<HttpWorld> {
  const world = await startHttpWorld(t);
  const { client } = world;
  for (const name of ["ada", "bob"]) {
    const user = { name, password, roles: ["red"], type: "user" };
    await client.expect(201, "PUT", `/_users/org.couchdb.user:${name}`, { body: user });
  }
  await client.expect(201, "PUT", "/notes");
  await client.expect(201, "PUT", "/notes/a", { body: {} });
  await client.expect(200, "PUT", "/notes/_security", { body: { members: { names: ["ada", "bob"] } } });
  return world;
}

async function cookieOf({ client }: HttpWorld, name: string): Promise<Headers> {
  const reply = await client.expect(200, "POST", "/_session", { body: { name, password }, authorization: null });
  return { authorization: "", cookie: String(reply.headers["set-cookie"]).split(";", 1)[0] as string };
}

async function tokenOf({ client }: HttpWorld, name: string): Promise<Headers & { readonly refresh: string }> {
  const body = { grant_type: "password", username: name, password };
  const reply = await client.expect(200, "POST", "/_settee/token", { body, authorization: null });
  const { access_token: token, refresh_token: refresh } = reply.json();
  return { authorization: `Bearer ${token}`, refresh };
}

const feeds: Readonly<Record<string, string>> = {
  longpoll: "/notes/_changes?feed=longpoll&heartbeat=60000&since=now",
  continuous: "/notes/_changes?feed=continuous&heartbeat=60000",
  eventsource: "/notes/_changes?feed=eventsource&heartbeat=60000",
};

async function changeUser({ client }: HttpWorld, name: string, members: Record<string, unknown>): Promise<void> {
  const path = `/_users/org.couchdb.user:${name}`;
  const document = (await client.expect(200, "GET", path)).json();
  await client.put(path, { ...document, ...members });
}

/** Each ends what Ada was let in for. */
const ends: Readonly<Record<string, (world: HttpWorld, headers: Headers) => Promise<unknown>>> = {
  "a log-out": ({ client }, headers) => client.expect(200, "DELETE", "/_session", { headers, authorization: null }),
  "a log-out everywhere, from elsewhere": ({ client }) =>
    client.expect(200, "POST", "/_settee/sessions/end", {
      body: { which: "everywhere" },
      authorization: basic("ada", password),
    }),
  "another password": (world) => changeUser(world, "ada", { password: "another one" }),
  "other roles": (world) => changeUser(world, "ada", { roles: ["blue"] }),
  "the end of the account": (world) => changeUser(world, "ada", { _deleted: true }),
  "no more membership": ({ client }) =>
    client.expect(200, "PUT", "/notes/_security", { body: { members: { names: ["bob"] } } }),
};

for (const [reason, end] of Object.entries(ends)) {
  for (const [kind, path] of Object.entries(feeds)) {
    test(`${reason} ends an open ${kind} feed, by cookie and by token, and nobody else's`, async (t) => {
      const world = await start(t);
      for (const credentialsOf of [cookieOf, tokenOf]) {
        const headers = await credentialsOf(world, "ada");
        const bobs = await credentialsOf(world, "bob");
        const [feed, other] = [await openFeed(world, path, headers), await openFeed(world, path, bobs)];
        assert.equal(feed.status, 200);
        await end(world, headers);
        await feed.end();
        await world.client.expect(201, "POST", "/notes", { body: {} });
        await waitFor("the other feed", () => other.text.includes("1-"));
        assert.equal(other.complete, kind === "longpoll");
        other.leave();
        const again = await world.client.get("/notes", { headers, authorization: null });
        assert.ok(again.status === 401 || (reason === "no more membership" && again.status === 403), `${again.status}`);
        if (reason !== "a log-out" && !reason.startsWith("a log-out everywhere")) break;
      }
    });
  }
}

test("a feed by Basic ends with the password", async (t) => {
  const world = await start(t);
  const feed = await openFeed(world, feeds["continuous"] as string, { authorization: basic("ada", password) });
  await changeUser(world, "ada", { password: "another one" });
  await feed.end();
});

test("a refresh token that is used twice ends the feed of the family", async (t) => {
  const world = await start(t);
  const { refresh, ...headers } = await tokenOf(world, "ada");
  const feed = await openFeed(world, feeds["continuous"] as string, headers);
  const body = { grant_type: "refresh_token", refresh_token: refresh };
  const { refresh_token: second } = (await world.client.expect(200, "POST", "/_settee/token", { body })).json();
  await world.client.expect(200, "POST", "/_settee/token", { body: { ...body, refresh_token: second } });
  await world.client.expect(400, "POST", "/_settee/token", { body });
  await feed.end();
});

test("a renewed cookie keeps the feed that was opened with the one before; other members change nothing", async (t) => {
  const world = await start(t);
  const feed = await openFeed(world, feeds["continuous"] as string, await cookieOf(world, "ada"));
  await changeUser(world, "ada", { nickname: "countess" });
  await changeUser(world, "bob", { roles: [] });
  await world.client.expect(200, "PUT", "/notes/_security", { body: { members: { names: ["ada"] } } });
  await world.client.expect(201, "PUT", "/notes/b", { body: {} });
  await waitFor("the change", () => feed.text.includes('"b"'));
  assert.equal(feed.complete, false);
  feed.leave();
});

test("_db_updates ends when its reader is no administrator any more", async (t) => {
  const world = await start(t);
  const { client } = world;
  await client.expect(200, "PUT", "/_node/_local/_config/admins/eve", { body: JSON.stringify("a long password") });
  const path = "/_db_updates?feed=continuous&heartbeat=60000";
  const feed: FeedReader = await openFeed(world, path, { authorization: basic("eve", "a long password") });
  assert.equal(feed.status, 200);
  await client.expect(200, "DELETE", "/_node/_local/_config/admins/eve");
  await feed.end();
});
