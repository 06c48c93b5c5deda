/** Feeds that are filtered by functions of design documents. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseDatabaseName } from "../../../protocol/ids.js";
import type { Database } from "../../../server/documents/database.js";
import { openFeed } from "../../helpers/feed-reader.js";
import { type HttpWorld, startHttpWorld } from "../../helpers/http-world.js";
import { edit, replicated, writeOne } from "../../helpers/incoming-revisions.js";
import type { Cleanup } from "../../helpers/temp-store.js";
import { waitFor } from "../../helpers/wait-for.js";

const filters = {
  odd: "function (doc) { return doc.v % 2 === 1; }",
  leaf: "function (doc, req) { return doc._rev === req.query.leaf; }",
  history: "function (doc) { return doc._revisions && doc._revisions.start === 2 && doc._revisions.ids.length === 2; }",
  told: "function (doc, req) { throw JSON.stringify(req); }",
  lib: "function (doc) { return require('lib/one').wants(doc) && this.lib !== undefined; }",
  endless: "function (doc) { for (;;); }",
  picky: "function (doc) { if (doc.v === 150) throw 'not this one'; return true; }",
};
const views = { v: { map: "function (doc) { if (doc.v === 2) emit(doc.v); }" } };
const lib = { one: "exports.wants = function (doc) { return doc.v === 1; };" };

async function startNotes(t: Cleanup): Promise<HttpWorld & { readonly database: Database }> {
  const world = await startHttpWorld(t);
  const database = await world.databases.create(parseDatabaseName("notes"));
  await writeOne(database, replicated("_design/f", "1-a", { body: { filters, views, lib } }));
  return { ...world, database };
}

async function idsOf({ client }: HttpWorld, query: string): Promise<readonly string[]> {
  const { results } = (await client.expect(200, "GET", `/notes/_changes?${query}`)).json();
  return results.map(
    ({ id, changes }: { id: string; changes: { rev: string }[] }) => `${id} ${changes.map(({ rev }) => rev)}`,
  );
}

describe("filter functions", () => {
  test("of filters and of views, with modules, more changes than go into one call", async (t) => {
    const world = await startNotes(t);
    await world.database.write(
      Array.from({ length: 250 }, (_, v) => edit(`doc-${v}`, { body: { v } })),
      "trusted",
    );
    assert.equal((await idsOf(world, "filter=f/odd")).length, 125);
    assert.equal((await idsOf(world, "filter=f/lib")).length, 1);
    assert.equal((await idsOf(world, "filter=_view&view=f/v")).length, 1);
    assert.equal((await idsOf(world, "filter=f/odd&limit=3")).length, 3);
    const { pending, last_seq } = (await world.client.get("/notes/_changes?filter=f/odd&limit=3")).json();
    assert.equal(last_seq, world.database.seqText(7));
    assert.equal(pending, 251 - 7);
  });

  test("style=all_docs: each leaf is asked for, deleted ones too; documents come with their history", async (t) => {
    const world = await startNotes(t);
    await writeOne(world.database, replicated("c", "1-a 2-a"));
    await writeOne(world.database, replicated("c", "1-a 2-b"));
    await writeOne(world.database, replicated("c", "1-a 2-c", { deleted: true }));
    assert.deepEqual(await idsOf(world, "filter=f/leaf&leaf=2-a"), []);
    assert.deepEqual(await idsOf(world, "filter=f/leaf&leaf=2-a&style=all_docs"), ["c 2-a"]);
    assert.deepEqual(await idsOf(world, "filter=f/leaf&leaf=2-c&style=all_docs"), ["c 2-c"]);
    assert.deepEqual(await idsOf(world, "filter=f/history&style=all_docs"), ["c 2-b,2-a,2-c"]);
  });

  test("a continuous feed asks for each commit as it comes", async (t) => {
    const world = await startNotes(t);
    const feed = await openFeed(world, "/notes/_changes?feed=continuous&filter=f/odd&limit=2");
    await waitFor("a listener", () => world.database.log.followed);
    for (let v = 0; v < 4; v++) await writeOne(world.database, edit(`doc-${v}`, { body: { v } }));
    await feed.end();
    assert.deepEqual(
      feed.lines.slice(0, 2).map(({ id }) => id),
      ["doc-1", "doc-3"],
    );
  });

  test("CVE-2023-45725: a function is told who asks for what, and nothing that proves it", async (t) => {
    const { client, url } = await startNotes(t);
    const headers = { cookie: "other=secret", "x-mine": "yes", "x-auth-couchdb-token": "secret" };
    const reply = await client.get("/notes/_changes?filter=f/told&a=%5B1%5D", { headers });
    const words = reply.json().reason as string;
    assert.doesNotMatch(words, /secret|Basic|password/i);
    const req = JSON.parse(words);
    assert.deepEqual(Object.keys(req).sort(), [
      ..."body cookie form headers id info method path peer query raw_path requested_path secObj userCtx uuid".split(
        " ",
      ),
    ]);
    assert.deepEqual(req.headers, {
      Accept: "application/json",
      Host: url.slice("http://".length),
      Connection: "keep-alive",
      "X-Mine": "yes",
    });
    assert.deepEqual(req.userCtx, { db: "notes", name: "admin", roles: ["_admin"] });
    assert.deepEqual([req.query, req.cookie, req.id, req.method], [{ filter: "f/told", a: "[1]" }, {}, null, "GET"]);
    assert.deepEqual(
      [req.path, req.requested_path],
      [
        ["notes", "_changes"],
        ["notes", "_changes?filter=f/told&a=[1]"],
      ],
    );
    assert.equal(req.info.db_name, "notes");
  });

  test("a function that fails fails the request, in its own words", async (t) => {
    const world = await startNotes(t);
    await world.database.write(
      Array.from({ length: 200 }, (_, v) => edit(`doc-${v}`, { body: { v } })),
      "trusted",
    );
    const reply = await world.client.get("/notes/_changes?filter=f/picky");
    assert.deepEqual([reply.status, reply.json()], [500, { error: "unknown_error", reason: "not this one" }]);
  });

  test("one that never ends holds up no feed of another database", async (t) => {
    const world = await startNotes(t);
    const other = await world.databases.create(parseDatabaseName("other"));
    await writeOne(other, replicated("_design/f", "1-a", { body: { filters } }));
    await writeOne(other, edit("a", { body: { v: 1 } }));
    const stuck = world.client.get("/notes/_changes?filter=f/endless");
    await waitFor("the function to run", () => world.sandbox.statistics().busyThreads === 1);
    const { results } = (await world.client.expect(200, "GET", "/other/_changes?filter=f/odd")).json();
    assert.deepEqual(
      results.map(({ id }: { id: string }) => id),
      ["a"],
    );
    assert.equal(world.sandbox.statistics().busyThreads, 1);
    await world.sandbox.close();
    assert.equal((await stuck).json().error, "service_unavailable");
  });

  test("two callers do not share an entity tag", async (t) => {
    const world = await startNotes(t);
    await world.client.expect(200, "PUT", "/notes/_security", { body: { members: {}, admins: {} } });
    await world.client.expect(201, "POST", "/_settee/signup", { body: { name: "ada", password: "a-long-password" } });
    const path = "/notes/_changes?filter=f/odd";
    const { etag } = (await world.client.get(path)).headers;
    assert.equal((await world.client.get(path, { headers: { "if-none-match": etag as string } })).status, 304);
    const headers = { "if-none-match": etag as string };
    const authorization = `Basic ${Buffer.from("ada:a-long-password").toString("base64")}`;
    assert.notEqual((await world.client.get(path, { headers, authorization })).status, 304);
  });
});
