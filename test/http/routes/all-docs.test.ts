import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseDatabaseName } from "../../../protocol/ids.js";
import type { Database } from "../../../server/documents/database.js";
import { type HttpWorld, startHttpWorld } from "../../helpers/http-world.js";
import { edit, replicated, writeOne } from "../../helpers/incoming-revisions.js";
import type { Cleanup } from "../../helpers/temp-store.js";

interface Row {
  readonly id?: string;
  readonly key: unknown;
  readonly value?: { readonly rev: string; readonly deleted?: true };
  readonly error?: string;
  readonly doc?: unknown;
}

interface Answer {
  readonly total_rows: number | null;
  readonly offset: number | null;
  readonly update_seq?: string | null;
  readonly rows: readonly Row[];
}

/** Two design documents, A, a, a conflict b, a deleted c, d, é and an id beyond the basic plane. */
async function startNotes(t: Cleanup): Promise<HttpWorld & { readonly database: Database }> {
  const world = await startHttpWorld(t);
  const database = await world.databases.create(parseDatabaseName("notes"));
  for (const id of ["_design/x", "_design/y", "A", "a", "d", "é", "\u{ffee}", "😀"]) {
    await writeOne(database, replicated(id, "1-a", { body: { of: id } }));
  }
  await writeOne(database, replicated("b", "1-a 2-a"));
  await writeOne(database, replicated("b", "1-a 2-b"));
  await writeOne(database, replicated("c", "1-a 2-c", { deleted: true }));
  await database.writeLocal("one", Buffer.from('{"of":"one"}'));
  await database.writeLocal("two", Buffer.from("{}"));
  return { ...world, database };
}

function brief({ rows }: Answer): string {
  return rows.map(({ id, key, value, error }) => (value?.deleted ? `${id}†` : (error && `${key}?`) || id)).join(" ");
}

const json = (value: unknown): string => encodeURIComponent(JSON.stringify(value));

describe("_all_docs", () => {
  test("ranges: rows in the order of their bytes, and how many stand before them", async (t) => {
    const { client } = await startNotes(t);
    const table: readonly (readonly [query: string, rows: string, offset: number | null])[] = [
      ["", "A _design/x _design/y a b d é \u{ffee} 😀", 0],
      ["descending=true", "😀 \u{ffee} é d b a _design/y _design/x A", 0],
      ["limit=2", "A _design/x", 0],
      ["limit=0", "", 0],
      ["skip=2&limit=2", "_design/y a", 2],
      ["skip=100", "", 9],
      ["descending=true&skip=1&limit=2", "\u{ffee} é", 1],
      [`startkey=${json("b")}`, "b d é \u{ffee} 😀", 4],
      [`startkey=${json("c")}`, "d é \u{ffee} 😀", 5],
      [`start_key=${json("b")}&end_key=${json("d")}`, "b d", 4],
      [`startkey=${json("b")}&endkey=${json("d")}&inclusive_end=false`, "b", 4],
      [`startkey=${json("a")}&skip=1&limit=1`, "b", 4],
      [`endkey=${json("a")}`, "A _design/x _design/y a", 0],
      [`descending=true&startkey=${json("d")}&endkey=${json("a")}`, "d b a", 3],
      [`descending=true&startkey=${json("d")}&endkey=${json("a")}&inclusive_end=false`, "d b", 3],
      [`startkey=${json("d")}&endkey=${json("a")}`, "", 5],
      [`startkey=${json("\u{ffee}")}`, "\u{ffee} 😀", 7],
      [`key=${json("a")}`, "a", 3],
      [`key=${json("c")}`, "", 5],
      [`key=${json("zzz")}`, "", 6],
      [`startkey=${json("b")}&key=${json("a")}`, "a", 3],
      ["key=5", "", 0],
      ["key=null", "", 0],
      ["startkey=1&limit=1", "A", 0],
      ["startkey=null&limit=1", "A", 0],
      ["endkey={}", "", 0],
      ["endkey=null", "", 0],
      ["descending=true&startkey=1", "", 9],
      ["startkey_docid=d&limit=1", "d", 5],
    ];
    for (const [query, rows, offset] of table) {
      const answer: Answer = (await client.expect(200, "GET", `/notes/_all_docs?${query}`)).json();
      assert.equal(brief(answer), rows, query);
      assert.deepEqual([answer.total_rows, answer.offset], [9, offset], query);
    }
  });

  test("keys: in their order, deleted and missing ones told", async (t) => {
    const { client } = await startNotes(t);
    const keys = ["b", "nope", "c", 1, "_local/one", "b"];
    const table: readonly (readonly [query: string, rows: string])[] = [
      ["", "b nope? c† 1? _local/one b"],
      ["descending=true&", "b _local/one 1? c† nope? b"],
      ["skip=1&limit=2&", "nope? c†"],
      ["include_docs=true&limit=3&", "b nope? c†"],
    ];
    for (const [query, rows] of table) {
      const answer: Answer = (await client.get(`/notes/_all_docs?${query}keys=${json(keys)}`)).json();
      assert.deepEqual([brief(answer), answer.offset], [rows, null], query);
      const posted: Answer = (await client.post(`/notes/_all_docs?${query}`, { keys })).json();
      assert.deepEqual(posted, answer);
    }
    const { rows }: Answer = (await client.post("/notes/_all_docs", { keys: ["a", "c"], include_docs: true })).json();
    assert.deepEqual(rows, [
      { id: "a", key: "a", value: { rev: "1-a" }, doc: { _id: "a", _rev: "1-a", of: "a" } },
      { id: "c", key: "c", value: { rev: "2-c", deleted: true }, doc: null },
    ]);
  });

  test("documents with their conflicts and attachments, and the update sequence", async (t) => {
    const { client, database } = await startNotes(t);
    const file = { content_type: "text/plain", data: Buffer.from("bytes").toString("base64") };
    await client.expect(201, "PUT", "/notes/f", { body: { _attachments: { "f.txt": file } } });
    const query = `include_docs=true&conflicts=true&attachments=true&update_seq=true&startkey=${json("b")}&endkey=${json("f")}`;
    const { rows, update_seq }: Answer = (await client.get(`/notes/_all_docs?${query}`)).json();
    assert.equal(update_seq, database.seqText(database.updateSeq));
    assert.deepEqual(rows.map(({ doc }) => doc).slice(0, 2), [
      { _id: "b", _rev: "2-b", _conflicts: ["2-a"] },
      { _id: "d", _rev: "1-a", of: "d" },
    ]);
    const last = rows[2]?.doc as { readonly _attachments: Readonly<Record<string, typeof file>> } | undefined;
    assert.equal(last?._attachments["f.txt"]?.data, file.data);
  });

  test("the layout is CouchDB's", async (t) => {
    const { client } = await startNotes(t);
    const { text, headers } = await client.get(`/notes/_all_docs?startkey=${json("a")}&endkey=${json("b")}`);
    const row = (id: string, rev: string) => `{"id":"${id}","key":"${id}","value":{"rev":"${rev}"}}`;
    assert.equal(text, `{"total_rows":9,"offset":3,"rows":[\n${row("a", "1-a")},\n${row("b", "2-b")}\n]}\n`);
    assert.equal(headers["content-type"], "application/json");
    assert.equal((await client.send("HEAD", "/notes/_all_docs")).status, 200);
  });

  test("what is refused", async (t) => {
    const { client } = await startNotes(t);
    const table: readonly (readonly [query: string, error: string, reason: string])[] = [
      ["limit=x", "query_parse_error", 'Invalid value for integer: "x"'],
      ["limit=", "query_parse_error", "Invalid value for integer: []"],
      ["limit=-1", "query_parse_error", 'Invalid value for positive integer: "-1"'],
      ["limit=9999999999999999999", "query_parse_error", "Limit is too large, must not exceed 576460752303423487"],
      ["descending=x", "query_parse_error", 'Invalid boolean parameter: "x"'],
      ["startkey=b", "bad_request", "invalid UTF-8 JSON"],
      ['keys="b"', "bad_request", "`keys` parameter must be an array."],
      ['keys=["a"]&key="a"', "query_parse_error", "`keys` is incompatible with `key`, `start_key` and `end_key`"],
      ["reduce=true", "query_parse_error", "Reduce is invalid for map-only views."],
      ["group=true", "query_parse_error", "Invalid use of grouping on a map view."],
      ["stale=x", "query_parse_error", "Invalid value for `stale`."],
      ["partition=p", "query_parse_error", "`partition` parameter is not supported on this db"],
    ];
    for (const [query, error, reason] of table) {
      const answer = (await client.expect(400, "GET", `/notes/_all_docs?${query}`)).json();
      assert.deepEqual([answer.error, answer.reason], [error, reason], query);
    }
    const bodies: readonly (readonly [body: unknown, reason: string])[] = [
      [{ limit: "2" }, 'Invalid value for integer: <<"2">>'],
      [{ limit: -1 }, "Invalid value for positive integer: -1"],
      [{ keys: null }, "`keys` body member must be an array."],
      [[], "Request body must be a JSON object"],
      ["", "invalid UTF-8 JSON"],
    ];
    for (const [body, reason] of bodies) {
      assert.equal((await client.expect(400, "POST", "/notes/_all_docs", { body })).json().reason, reason);
    }
    const text = { headers: { "content-type": "text/plain" } };
    assert.equal((await client.post("/notes/_all_docs", "{}", text)).status, 415);
    assert.equal((await client.get("/notes/_all_docs", { authorization: null })).status, 401);
    assert.equal((await client.get("/notes/_partition/p/_all_docs")).status, 400);
  });

  test("several queries in one request; the query string counts for each", async (t) => {
    const { client } = await startNotes(t);
    const queries = [{ limit: 1 }, { keys: ["a", "nope"] }, { startkey: "d", descending: true, limit: 2 }];
    const { results } = (await client.post("/notes/_all_docs/queries?include_docs=true", { queries })).json();
    assert.deepEqual((results as Answer[]).map(brief), ["A", "a nope?", "d b"]);
    assert.deepEqual(
      (results as Answer[]).map(({ offset }) => offset),
      [0, null, 3],
    );
    assert.deepEqual(results[1].rows[0].doc, { _id: "a", _rev: "1-a", of: "a" });
    assert.deepEqual((await client.post("/notes/_all_docs/queries", { queries: [] })).json(), { results: [] });
    for (const body of [{}, { queries: "x" }, { queries: [1] }, { queries: [{ limit: 1 }, { limit: -1 }] }]) {
      await client.expect(400, "POST", "/notes/_all_docs/queries", { body });
    }
  });

  test("a listing of many pieces is whole, by range and by keys", async (t) => {
    const { client, databases } = await startHttpWorld(t);
    const database = await databases.create(parseDatabaseName("large"));
    const ids = Array.from({ length: 1800 }, (_, index) => `doc-${String(index).padStart(4, "0")}`);
    const body = { text: "é".repeat(100) };
    await database.write(
      ids.map((id) => edit(id, { body })),
      "trusted",
    );
    const range: Answer = (await client.get("/large/_all_docs?include_docs=true")).json();
    const keys: Answer = (await client.post("/large/_all_docs?include_docs=true", { keys: ids })).json();
    for (const { rows } of [range, keys]) {
      assert.deepEqual(
        rows.map(({ id }) => id),
        ids,
      );
      assert.equal((rows[1700]?.doc as typeof body | undefined)?.text, body.text);
    }
  });
});

describe("_design_docs and _local_docs", () => {
  test("rows, totals and offsets are their own", async (t) => {
    const { client } = await startNotes(t);
    const table: readonly (readonly [path: string, rows: string, total: number | null, offset: number | null])[] = [
      ["_design_docs", "_design/x _design/y", 2, 0],
      ["_design_docs?skip=1", "_design/y", 2, 1],
      ["_design_docs?descending=true&limit=1", "_design/y", 2, 0],
      [`_design_docs?startkey=${json("_design/y")}`, "_design/y", 2, 1],
      [`_design_docs?key=${json("a")}`, "", 2, 2],
      [`_design_docs?endkey=${json("A")}`, "", 2, 0],
      [`_design_docs?keys=${json(["_design/y", "_design/zz", "a"])}`, "_design/y _design/zz?", 2, null],
      ["_local_docs", "_local/one _local/two", null, null],
      ["_local_docs?descending=true&limit=1", "_local/two", null, null],
      [`_local_docs?startkey=${json("_local/p")}`, "_local/two", null, null],
      [`_local_docs?endkey=${json("_local/two")}&inclusive_end=false`, "_local/one", null, null],
      [`_local_docs?key=${json("_local/one")}`, "_local/one", null, null],
      [`_local_docs?startkey=${json("a")}`, "", null, null],
      [`_local_docs?endkey=${json("_local.x")}`, "", null, null],
      [`_local_docs?keys=${json(["_local/two", "_local/zz", "a"])}`, "_local/two _local/zz?", null, null],
    ];
    for (const [path, rows, total, offset] of table) {
      const answer: Answer = (await client.expect(200, "GET", `/notes/${path}`)).json();
      assert.deepEqual([brief(answer), answer.total_rows, answer.offset], [rows, total, offset], path);
    }
  });

  test("documents, and several queries", async (t) => {
    const { client } = await startNotes(t);
    const { rows }: Answer = (await client.get("/notes/_local_docs?include_docs=true&limit=1")).json();
    assert.deepEqual(rows[0]?.doc, { _id: "_local/one", _rev: "0-1", of: "one" });
    const queries = [{ limit: 1 }, { skip: 1 }];
    const ask = async (path: string) =>
      (await client.post(`/notes/${path}/queries`, { queries })).json().results.map(brief);
    assert.deepEqual(await ask("_design_docs"), ["_design/x", "_design/y"]);
    assert.deepEqual(await ask("_local_docs"), ["_local/one", "_local/two"]);
  });
});

test("a partition lists its own documents", async (t) => {
  const { client, databases } = await startHttpWorld(t);
  const database = await databases.create(parseDatabaseName("parts"), { partitioned: true });
  for (const id of ["p:a", "p:b", "pp:a", "q:a"]) await writeOne(database, edit(id));
  const table: readonly (readonly [path: string, rows: string, offset: number])[] = [
    ["_partition/p/_all_docs", "p:a p:b", 0],
    ["_partition/q/_all_docs", "q:a", 3],
    [`_partition/p/_all_docs?startkey=${json("p:b")}`, "p:b", 1],
    ["_partition/p/_all_docs?descending=true", "p:b p:a", 2],
    ["_partition/none/_all_docs", "", 0],
    ["_all_docs?partition=q", "q:a", 3],
  ];
  for (const [path, rows, offset] of table) {
    const answer: Answer = (await client.expect(200, "GET", `/parts/${path}`)).json();
    assert.deepEqual([brief(answer), answer.total_rows, answer.offset], [rows, 4, offset], path);
  }
});
