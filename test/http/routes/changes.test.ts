import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseDatabaseName } from "../../../protocol/ids.js";
import type { Database } from "../../../server/documents/database.js";
import { type HttpWorld, startHttpWorld } from "../../helpers/http-world.js";
import { edit, replicated, writeOne } from "../../helpers/incoming-revisions.js";
import type { Cleanup } from "../../helpers/temp-store.js";

interface Row {
  readonly seq: string | null;
  readonly id: string;
  readonly changes: readonly { readonly rev: string }[];
  readonly deleted?: boolean;
  readonly doc?: unknown;
}

interface Answer {
  readonly results: readonly Row[];
  readonly last_seq: string;
  readonly pending: number;
}

/** a, b, a conflict c, a deleted d, a design document. */
async function startNotes(t: Cleanup): Promise<HttpWorld & { readonly database: Database }> {
  const world = await startHttpWorld(t);
  const database = await world.databases.create(parseDatabaseName("notes"));
  await writeOne(database, replicated("a", "1-a", { body: { v: 1 } }));
  await writeOne(database, replicated("b", "1-a", { body: { v: 2 } }));
  await writeOne(database, replicated("c", "1-a 2-a"));
  await writeOne(database, replicated("c", "1-a 2-b", { body: { v: "2b" } }));
  await writeOne(database, replicated("c", "1-a 2-c", { deleted: true }));
  await writeOne(database, replicated("d", "1-a 2-d", { deleted: true }));
  const filters = { odd: "function (doc) { return doc.v === 1; }" };
  await writeOne(database, replicated("_design/f", "1-a", { body: { filters, views: { v: { map: "(doc) => 1" } } } }));
  return { ...world, database };
}

function brief({ results }: Answer): string {
  return results
    .map(({ id, changes, deleted }) => `${id} ${changes.map(({ rev }) => rev)}${deleted ? " deleted" : ""}`)
    .join(", ");
}

const everything = "a 1-a, b 1-a, c 2-b, d 2-d deleted, _design/f 1-a";

describe("_changes", () => {
  test("which rows, and how many more there are", async (t) => {
    const { client, database } = await startNotes(t);
    const afterB = `since=${database.seqText(2)}`;
    const ids = encodeURIComponent(JSON.stringify(["d", "a", "nobody"]));
    const table: readonly (readonly [query: string, rows: string, pending: number, lastSeq: number])[] = [
      ["", everything, 0, 7],
      ["since=0", everything, 0, 7],
      ["since=now", "", 0, 7],
      [afterB, "c 2-b, d 2-d deleted, _design/f 1-a", 0, 7],
      [`${afterB}&limit=1`, "c 2-b", 2, 5],
      [`since=${encodeURIComponent(JSON.stringify(database.seqText(5)))}`, "d 2-d deleted, _design/f 1-a", 0, 7],
      [`last-event-id=${database.seqText(6)}`, "_design/f 1-a", 0, 7],
      ["limit=2", "a 1-a, b 1-a", 3, 2],
      ["limit=0", "", 5, 0],
      ["limit=5", everything, 0, 7],
      ["limit=-1", everything, 0, 7],
      ["descending=true&limit=2", "_design/f 1-a, d 2-d deleted", 3, 6],
      [`descending=true&${afterB}`, "_design/f 1-a, d 2-d deleted, c 2-b, b 1-a, a 1-a", 0, 1],
      ["style=all_docs", "a 1-a, b 1-a, c 2-b,2-a,2-c, d 2-d deleted, _design/f 1-a", 0, 7],
      [`filter=_doc_ids&doc_ids=${ids}`, "a 1-a, d 2-d deleted", 3, 7],
      [`filter=_doc_ids&doc_ids=${ids}&limit=1`, "a 1-a", 4, 1],
      [`filter=_doc_ids&doc_ids=${ids}&descending=true`, "d 2-d deleted, a 1-a", 3, 1],
      [`filter=_doc_ids&doc_ids=["c"]&style=all_docs`, "c 2-b,2-a,2-c", 4, 7],
      ["filter=_design", "_design/f 1-a", 4, 7],
      [`filter=_design&${afterB}`, "_design/f 1-a", 2, 7],
      ["filter=", everything, 0, 7],
      ["feed=longpoll", everything, 0, 7],
      ["feed=longpoll&limit=2", "a 1-a, b 1-a", 3, 2],
      ["feed=longpoll&since=now&timeout=0", "", 0, 7],
      ["feed=longpoll&filter=_design&timeout=0", "_design/f 1-a", 4, 7],
    ];
    for (const [query, rows, pending, lastSeq] of table) {
      const answer: Answer = (await client.expect(200, "GET", `/notes/_changes?${query}`)).json();
      assert.equal(brief(answer), rows, query);
      assert.deepEqual([answer.pending, answer.last_seq], [pending, database.seqText(lastSeq)], query);
    }
  });

  test("a plain GET is answered in CouchDB's very layout", async (t) => {
    const { client, database } = await startNotes(t);
    const { text } = await client.expect(200, "GET", "/notes/_changes?limit=2");
    assert.equal(
      text,
      `{"results":[\n{"seq":"${database.seqText(1)}","id":"a","changes":[{"rev":"1-a"}]},\n` +
        `{"seq":"${database.seqText(2)}","id":"b","changes":[{"rev":"1-a"}]}\n],\n` +
        `"last_seq":"${database.seqText(2)}","pending":3}\n`,
    );
  });

  test("rows with documents", async (t) => {
    const { client } = await startNotes(t);
    const docs = async (query: string) =>
      ((await client.get(`/notes/_changes?include_docs=true&${query}`)).json() as Answer).results.map(({ doc }) => doc);
    assert.deepEqual((await docs("conflicts=true")).slice(0, 4), [
      { _id: "a", _rev: "1-a", v: 1 },
      { _id: "b", _rev: "1-a", v: 2 },
      { _id: "c", _rev: "2-b", v: "2b", _conflicts: ["2-a"] },
      { _id: "d", _rev: "2-d", _deleted: true },
    ]);
    const file = { content_type: "text/plain", data: Buffer.from("bytes").toString("base64") };
    await client.expect(201, "PUT", "/notes/e", { body: { _attachments: { "f.txt": file } } });
    const [stub] = (await docs(`filter=_doc_ids&doc_ids=["e"]`)) as [{ _attachments: Record<string, object> }];
    assert.equal("data" in (stub._attachments["f.txt"] as object), false);
    const [full] = (await docs(`filter=_doc_ids&doc_ids=["e"]&attachments=true`)) as [typeof stub];
    assert.equal((full._attachments["f.txt"] as typeof file).data, file.data);
  });

  test("seq_interval leaves sequences out", async (t) => {
    const { client } = await startNotes(t);
    const { results }: Answer = (await client.get("/notes/_changes?seq_interval=2")).json();
    assert.deepEqual(
      results.map(({ seq }) => seq === null),
      [false, true, false, true, false],
    );
  });

  test("a document appears at its newest place only", async (t) => {
    const { client, database } = await startNotes(t);
    await writeOne(database, edit("a", { on: "1-a" }));
    const { results }: Answer = (await client.get("/notes/_changes")).json();
    assert.deepEqual(
      results.map(({ id }) => id),
      ["b", "c", "d", "_design/f", "a"],
    );
  });

  test("POST takes doc_ids in its body, which may be missing", async (t) => {
    const { client } = await startNotes(t);
    const post = async (query: string, body: unknown) => client.post(`/notes/_changes${query}`, body);
    assert.equal(brief((await post("?filter=_doc_ids", { doc_ids: ["b"] })).json()), "b 1-a");
    assert.equal(brief((await post("", "")).json()), everything);
    assert.equal(brief((await post("", {})).json()), everything);
  });

  test("the entity tag holds until something is written or something else is asked", async (t) => {
    const { client, database } = await startNotes(t);
    const etag = (await client.get("/notes/_changes")).headers.etag as string;
    const again = (path: string) => client.get(path, { headers: { "if-none-match": etag } });
    assert.deepEqual([(await again("/notes/_changes")).status, (await again("/notes/_changes")).text], [304, ""]);
    assert.equal((await again("/notes/_changes?limit=1")).status, 200);
    assert.equal((await client.send("HEAD", "/notes/_changes")).headers.etag, etag);
    await writeOne(database, edit("new"));
    assert.equal((await again("/notes/_changes")).status, 200);
  });

  test("what is refused", async (t) => {
    const { client } = await startNotes(t);
    const malformed = "Malformed sequence supplied in 'since' parameter.";
    const table: readonly (readonly [query: string, status: number, error: string, reason?: string])[] = [
      ["since=x", 400, "bad_request", malformed],
      ["since=999", 400, "bad_request", malformed],
      ["since=", 400, "bad_request", malformed],
      ["limit=x", 400, "query_parse_error", 'Invalid value for integer: "x"'],
      ["style=x", 400, "bad_request"],
      ["feed=x", 400, "bad_request", "Supported `feed` types: normal, continuous, live, longpoll, eventsource"],
      ["feed=longpoll&heartbeat=x", 400, "bad_request"],
      ["feed=longpoll&heartbeat=0", 400, "bad_request"],
      ["feed=longpoll&timeout=x", 400, "query_parse_error"],
      ["seq_interval=0", 400, "bad_request", "invalid_seq_interval"],
      ["filter=x", 400, "bad_request", "`filter` must be of the form `designname/filtername`"],
      ["filter=f/odd/x", 400, "bad_request", "`filter` must be of the form `designname/filtername`"],
      ["filter=nope/x", 404, "not_found", "missing"],
      ["filter=f/nope", 404, "not_found", "missing json key: nope"],
      ["filter=_nope", 400, "bad_request", "unknown builtin filter name"],
      ["filter=_view", 400, "bad_request", "`view` filter parameter is not provided."],
      ["filter=_view&view=f/nope", 404, "not_found", "missing json key: nope"],
      ["filter=_doc_ids", 400, "bad_request", "`doc_ids` filter parameter is not a list of doc ids."],
      ["filter=_doc_ids&doc_ids=[1]", 400, "bad_request", "`doc_ids` filter parameter is not a list of doc ids."],
      ["filter=_selector", 400, "bad_request", "Selector must be specified in POST payload"],
    ];
    for (const [query, status, error, reason] of table) {
      const answer = (await client.expect(status, "GET", `/notes/_changes?${query}`)).json();
      assert.equal(answer.error, error, query);
      if (reason !== undefined) assert.equal(answer.reason, reason, query);
    }
    assert.equal((await client.post("/notes/_changes", [])).status, 400);
    assert.equal((await client.post("/notes/_changes?filter=_selector", {})).status, 400);
    assert.equal(
      (await client.post("/notes/_changes", "{}", { headers: { "content-type": "text/plain" } })).status,
      415,
    );
    assert.equal((await client.get("/notes/_changes", { authorization: null })).status, 401);
    assert.equal((await client.get("/nobody/_changes")).status, 404);
  });

  test("pages lead through a large database to its end, and pending counts down", async (t) => {
    const { client, databases } = await startHttpWorld(t);
    const database = await databases.create(parseDatabaseName("large"));
    const ids = Array.from({ length: 2600 }, (_, index) => `doc-${index}`);
    await database.write(
      ids.map((id) => edit(id)),
      "trusted",
    );
    const seen: string[] = [];
    let since = "0";
    for (let left = ids.length; left > 0; ) {
      const page: Answer = (await client.get(`/large/_changes?limit=700&since=${since}`)).json();
      seen.push(...page.results.map(({ id }) => id));
      since = page.last_seq;
      left -= page.results.length;
      assert.equal(page.pending, left);
    }
    assert.deepEqual(seen, ids);
    const whole: Answer = (await client.get("/large/_changes?include_docs=true")).json();
    assert.deepEqual(
      whole.results.map(({ id }) => id),
      ids,
    );
  });
});
