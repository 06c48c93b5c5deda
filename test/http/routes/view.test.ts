import assert from "node:assert/strict";
import { get as httpGet } from "node:http";
import { describe, test } from "node:test";
import { parseDatabaseName } from "../../../protocol/ids.js";
import type { Database } from "../../../server/documents/database.js";
import { type HttpWorld, startHttpWorld } from "../../helpers/http-world.js";
import { edit, replicated, writeOne } from "../../helpers/incoming-revisions.js";
import type { Cleanup } from "../../helpers/temp-store.js";
import { waitFor, within } from "../../helpers/wait-for.js";

interface Answer {
  readonly total_rows?: number;
  readonly offset?: number;
  readonly update_seq?: string;
  readonly rows: readonly {
    readonly id?: string;
    readonly key: unknown;
    readonly value?: unknown;
    readonly error?: string;
    readonly doc?: { readonly _id: string; readonly _rev: string; readonly n?: number } | null;
  }[];
}

interface Views {
  readonly [view: string]: { readonly map: string; readonly reduce?: string };
}

interface World extends HttpWorld {
  readonly database: Database;
  /** Asks a view of `_design/app`. */
  ask(view: string, query?: string): Promise<Answer>;
  define(views: Views, more?: object): Promise<void>;
}

async function startNotes(t: Cleanup): Promise<World> {
  const world = await startHttpWorld(t);
  const database = await world.databases.create(parseDatabaseName("notes"));
  const { client } = world;
  return {
    ...world,
    database,
    ask: async (view, query = "") =>
      (await client.expect(200, "GET", `/notes/_design/app/_view/${view}?${query}`)).json(),
    async define(views, more = {}) {
      const found = await client.get("/notes/_design/app");
      const rev = found.status === 200 ? { _rev: found.json()._rev } : {};
      await client.expect(201, "PUT", "/notes/_design/app", { body: { ...rev, views, ...more } });
    },
  };
}

const byN = { map: "function (doc) { emit(doc.n, doc._id); }" };
const briefly = ({ rows }: Answer): string => rows.map(({ id, key }) => `${id}:${JSON.stringify(key)}`).join(" ");

describe("rows", () => {
  test("of one key and document are in the order of their values", async (t) => {
    const { ask, define, client } = await startNotes(t);
    await define({
      v: { map: "function (doc) { emit(1, 'b'); emit(1); emit(1, [1]); emit(1, 7); emit(1, {}); emit(1, 'a'); }" },
    });
    await client.put("/notes/d", {});
    const { rows } = await ask("v");
    assert.deepEqual(
      rows.map(({ value }) => value),
      [7, null, {}, [1], "a", "b"],
    );
  });

  test("with large integers are found by exactly these, in the query string and in a body", async (t) => {
    const { ask, define, client } = await startNotes(t);
    const map = "function (doc) { emit(doc.big, null); }";
    await define({ v: { map } });
    // JavaScript rounds them: what a function emits is a double, and CouchDB's are, too.
    await client.expect(201, "PUT", "/notes/a", { body: '{"big":9007199254740992}' });
    assert.equal(briefly(await ask("v", "key=9007199254740992")), "a:9007199254740992");
    assert.equal(briefly(await ask("v", "key=9007199254740993")), "");
    for (const [body, found] of [
      ['{"keys":[9007199254740993]}', ""],
      ['{"keys":[9007199254740992]}', "a:9007199254740992"],
      ['{"key":9007199254740993}', ""],
      ['{"startkey":9007199254740993}', ""],
      ['{"endkey":9007199254740991}', ""],
    ] as const) {
      const reply = await client.expect(200, "POST", "/notes/_design/app/_view/v", { body });
      assert.equal(briefly(reply.json()), found, body);
    }
    const queries = await client.expect(200, "POST", "/notes/_design/app/_view/v/queries", {
      body: '{"queries":[{"key":9007199254740993},{"key":9007199254740992}]}',
    });
    assert.deepEqual(
      queries.json().results.map(({ rows }: Answer) => rows.length),
      [0, 1],
    );
  });
});

describe("documents of rows", () => {
  test("are those that the values name: another document, a revision, or both", async (t) => {
    const { database, ask, define } = await startNotes(t);
    await define({ links: { map: "function (doc) { for (const link of doc.links || []) emit(null, link); }" } });
    await writeOne(database, replicated("a", "1-a", { body: { n: 1 } }));
    await writeOne(database, replicated("a", "1-a 2-a", { body: { n: 2 } }));
    await writeOne(database, replicated("gone", "1-g", { body: { n: 3 } }));
    await writeOne(database, replicated("gone", "1-g 2-g", { deleted: true }));
    const links: readonly (readonly [link: unknown, doc: string | null])[] = [
      [{ _id: "a" }, "a 2-a 2"],
      [{ _id: "a", _rev: "1-a" }, "a 1-a 1"],
      [{ _id: "a", _rev: "9-z" }, null],
      [{ _id: "a", _rev: "no revision" }, null],
      [{ _id: "gone" }, null],
      [{ _id: "gone", _rev: "1-g" }, "gone 1-g 3"],
      [{ _id: "gone", _rev: "2-g" }, "gone 2-g undefined"],
      [{ _id: "nobody" }, null],
      [{ _id: null }, null],
      [{ _rev: "1-x" }, "l 1-x undefined"],
      [{ other: "_id" }, "l 2-x undefined"],
      [["_id", "a"], "l 2-x undefined"],
      ["a", "l 2-x undefined"],
      [null, "l 2-x undefined"],
    ];
    await writeOne(database, replicated("l", "1-x", { body: {} }));
    await writeOne(database, replicated("l", "1-x 2-x", { body: { links: links.map(([link]) => link) } }));
    const { rows } = await ask("links", "include_docs=true");
    assert.equal(rows.length, links.length);
    for (const [link, wanted] of links) {
      const row = rows.find(({ value }) => JSON.stringify(value) === JSON.stringify(link));
      const doc = row?.doc;
      assert.equal(doc ? `${doc._id} ${doc._rev} ${doc.n}` : doc, wanted, JSON.stringify(link));
    }
  });
});

describe("how new the rows are", () => {
  test("update=true waits, false does not, lazy brings the index up to date afterwards", async (t) => {
    const { ask, define, client } = await startNotes(t);
    await define({ v: byN });
    await client.put("/notes/a", { n: 1 });
    assert.equal(briefly(await ask("v", "update=false")), "");
    assert.equal(briefly(await ask("v")), "a:1");
    await client.put("/notes/b", { n: 2 });
    assert.equal(briefly(await ask("v", "stale=ok")), "a:1");
    assert.equal(briefly(await ask("v", "update=lazy")), "a:1");
    await waitFor("the index", async () => briefly(await ask("v", "update=false")) === "a:1 b:2");
  });

  test("a new definition has its own rows; going back finds the old ones where they were left", async (t) => {
    const { ask, define, client } = await startNotes(t);
    await client.put("/notes/a", { n: 1, m: 5 });
    const byM = { map: "function (doc) { emit(doc.m, null); }" };
    await define({ v: byN });
    assert.equal(briefly(await ask("v")), "a:1");
    await define({ v: byM });
    assert.equal(briefly(await ask("v", "update=false")), "");
    assert.equal(briefly(await ask("v")), "a:5");
    await define({ v: byN });
    assert.equal(briefly(await ask("v", "update=false")), "a:1");
    const { update_seq } = await ask("v", "update=false&update_seq=true");
    assert.match(update_seq as string, /^2-/, "it has not seen the design documents that came since");
  });

  test("several queries are about one version, and the strictest decides which", async (t) => {
    const { define, client } = await startNotes(t);
    await define({ v: byN });
    await client.put("/notes/a", { n: 1 });
    const path = "/notes/_design/app/_view/v/queries";
    const body = { queries: [{ update: "false", update_seq: true }, { update_seq: true }] };
    const { results } = (await client.expect(200, "POST", path, { body })).json();
    assert.deepEqual(
      results.map((answer: Answer) => briefly(answer)),
      ["a:1", "a:1"],
    );
    assert.equal(results[0].update_seq, results[1].update_seq);
  });

  test("an answer is about what was there when it began, however slowly it is taken", async (t) => {
    const { database, define, adminHeaders, url, ask } = await startNotes(t);
    const text = "x".repeat(2000);
    await define({ v: { map: "function (doc) { emit(doc.n, doc.text); }" } });
    const revisions = Array.from({ length: 2000 }, (_, n) => edit(`d${n}`, { body: { n, text } }));
    await database.write(revisions, "trusted");
    await ask("v", "limit=0");
    const read = await new Promise<string>((resolve, reject) => {
      const request = httpGet(`${url}/notes/_design/app/_view/v`, { headers: adminHeaders }, (reply) => {
        let taken = "";
        let isFirst = true;
        reply.setEncoding("utf8").on("error", reject);
        reply.on("data", (chunk: string) => {
          taken += chunk;
          if (!isFirst) return;
          isFirst = false;
          reply.pause();
          // Meanwhile all of them go, and the index knows.
          database
            .write(
              Array.from({ length: 2000 }, (_, n) => {
                const node = database.find(`d${n}`)?.record.tree[0];
                return edit(`d${n}`, { on: `${node?.generation}-${node?.hash}`, deleted: true });
              }),
              "trusted",
            )
            .then(() => ask("v"))
            .then(({ total_rows }) => {
              assert.equal(total_rows, 0);
              reply.resume();
            }, reject);
        });
        reply.on("end", () => resolve(taken));
      });
      request.on("error", reject);
    });
    const { total_rows, rows } = JSON.parse(read) as Answer;
    assert.deepEqual([total_rows, rows.length], [2000, 2000]);
    assert.deepEqual(
      rows.map(({ key }) => key),
      Array.from({ length: 2000 }, (_, n) => n),
    );
  });
});

describe("functions that fail", () => {
  test("one that never ends has no rows of the document that it does not end on, and holds up nobody", async (t) => {
    const world = await startNotes(t);
    const { database, ask, define } = world;
    const map = "function (doc) { if (doc.n === 2) for (;;) {} emit(doc.n, null); }";
    await define({ v: { map } });
    for (const n of [1, 2, 3]) await writeOne(database, edit(`d${n}`, { body: { n } }));
    const other = await world.databases.create(parseDatabaseName("other"));
    await writeOne(other, edit("_design/app", { body: { views: { v: byN } } }));
    await writeOne(other, edit("a", { body: { n: 1 } }));
    const hostile = ask("v");
    await waitFor("the function to run", () => world.sandbox.statistics().busyThreads > 0);
    const { rows } = (await world.client.expect(200, "GET", "/other/_design/app/_view/v")).json();
    assert.equal(rows.length, 1);
    assert.ok(world.sandbox.statistics().busyThreads > 0, "it is still running");
    assert.equal(briefly(await within("the hostile view", hostile, 60_000)), "d1:1 d3:3");
  });

  test("a document with a hundred thousand rows is one like any other", async (t) => {
    const { database, ask, define } = await startNotes(t);
    await define({
      v: { map: "function (doc) { for (let i = 0; i < doc.n; i++) emit(i % 1000, 1); }", reduce: "_count" },
    });
    const rev = await writeOne(database, edit("many", { body: { n: 100_000 } }));
    await writeOne(database, edit("few", { body: { n: 3 } }));
    assert.deepEqual((await ask("v")).rows, [{ key: null, value: 100_003 }]);
    const groups = await ask("v", "group=true");
    assert.equal(groups.rows.length, 1000);
    assert.deepEqual(groups.rows[0], { key: 0, value: 101 });
    await writeOne(database, edit("many", { on: rev, body: { n: 2 } }));
    assert.equal(briefly(await ask("v", "reduce=false")), "few:0 many:0 few:1 many:1 few:2");
  });

  test("documents that emit very much one after another are put away one after another", async (t) => {
    const { database, ask, define } = await startNotes(t);
    const map = "function (doc) { for (let i = 0; i < 300; i++) emit([doc.n, i], 'x'.repeat(10000)); }";
    await define({ v: { map, reduce: "_count" } });
    const revisions = Array.from({ length: 8 }, (_, n) => edit(`d${n}`, { body: { n } }));
    await database.write(revisions, "trusted");
    assert.deepEqual((await ask("v")).rows, [{ key: null, value: 2400 }]);
    assert.equal((await ask("v", "reduce=false&limit=1&startkey=[7,299]")).offset, 2399);
  });

  test("a reduce function that fails on some rows fails in their groups alone", async (t) => {
    const { database, ask, define } = await startNotes(t);
    const reduce =
      "function (keys, values, rereduce) { return !rereduce && values.includes(2) ? 'x'.repeat(9000) : 1; }";
    await define({ v: { map: "function (doc) { emit(doc.n, doc.n); }", reduce } });
    for (const n of [1, 2, 3]) await writeOne(database, edit(`d${n}`, { body: { n } }));
    const { rows } = await ask("v", "group=true");
    assert.deepEqual(
      rows.map(({ key, value, error }) => [key, value ?? error]),
      [
        [1, 1],
        [2, "reduce_overflow_error"],
        [3, 1],
      ],
    );
    assert.equal(briefly(await ask("v", "reduce=false")), "d1:1 d2:2 d3:3");
  });
});

describe("many keys", () => {
  test("of which none is there, and all of them several times", async (t) => {
    const { database, define, client } = await startNotes(t);
    await define({ v: { ...byN, reduce: "_count" } });
    const revisions = Array.from({ length: 1000 }, (_, n) => edit(`d${n}`, { body: { n } }));
    await database.write(revisions, "trusted");
    const path = "/notes/_design/app/_view/v";
    const nothing = Array.from({ length: 50_000 }, (_, n) => n + 5000);
    const ask = async (query: string, keys: readonly number[]): Promise<Answer> =>
      (await client.expect(200, "POST", `${path}?${query}`, { body: { keys } })).json();
    assert.deepEqual((await ask("reduce=false", nothing)).rows, []);
    assert.deepEqual((await ask("group=true", nothing)).rows, []);
    const again = Array.from({ length: 20_000 }, (_, n) => n % 1000);
    const { rows } = await ask("reduce=false&skip=5000", [...nothing, ...again]);
    assert.equal(rows.length, 15_000);
    assert.equal((await ask("group=true&skip=19999", again)).rows[0]?.key, 999);
  });
});

describe("HEAD", () => {
  test("answers as GET does, without the rows", async (t) => {
    const { client, define } = await startNotes(t);
    await define({ v: byN });
    const path = "/notes/_design/app/_view/v";
    for (const [query, status] of [
      ["", 200],
      ["?startkey=2&endkey=1", 400],
      ["?limit=x", 400],
    ] as const) {
      const [head, get] = [await client.send("HEAD", path + query), await client.get(path + query)];
      assert.deepEqual([head.status, get.status], [status, status], query);
      assert.equal(head.bytes.length, 0);
    }
    assert.equal((await client.send("HEAD", "/notes/_design/app/_view/nope")).status, 404);
  });
});
