import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseDatabaseName } from "../../../protocol/ids.js";
import type { Database } from "../../../server/documents/database.js";
import { openFeed } from "../../helpers/feed-reader.js";
import { type HttpWorld, startHttpWorld } from "../../helpers/http-world.js";
import { edit, replicated, writeOne } from "../../helpers/incoming-revisions.js";
import type { Cleanup } from "../../helpers/temp-store.js";
import { waitFor } from "../../helpers/wait-for.js";

interface Answer {
  readonly results: readonly {
    readonly id: string;
    readonly changes: readonly { readonly rev: string }[];
    readonly deleted?: boolean;
    readonly doc?: unknown;
  }[];
  readonly last_seq: string;
  readonly pending: number;
}

/** Five changes of seven: a, b, a conflict c of which 2-b wins, a deleted d, a design document. */
async function startNotes(t: Cleanup): Promise<HttpWorld & { readonly database: Database }> {
  const world = await startHttpWorld(t);
  const database = await world.databases.create(parseDatabaseName("notes"));
  await writeOne(database, replicated("a", "1-a", { body: { v: 1, o: { p: 1, q: 2 } } }));
  await writeOne(database, replicated("b", "1-a", { body: { v: 2 } }));
  await writeOne(database, replicated("c", "1-a 2-a", { body: { v: 1 } }));
  await writeOne(database, replicated("c", "1-a 2-b", { body: { v: 2 } }));
  await writeOne(database, replicated("c", "1-a 2-c", { deleted: true, body: { v: 1 } }));
  await writeOne(database, replicated("d", "1-a 2-d", { deleted: true, body: { v: 1 } }));
  await writeOne(database, replicated("_design/f", "1-a", { body: { v: "text" } }));
  return { ...world, database };
}

const changes = "/notes/_changes?filter=_selector";

function brief({ results }: Answer): string {
  return results
    .map(({ id, changes, deleted }) => `${id} ${changes.map(({ rev }) => rev)}${deleted ? " deleted" : ""}`)
    .join(", ");
}

describe("_changes?filter=_selector", () => {
  test("which rows, and how many more there are", async (t) => {
    const { client, database } = await startNotes(t);
    const everything = "a 1-a, b 1-a, c 2-b, d 2-d deleted, _design/f 1-a";
    type Row = readonly [query: string, selector: object, rows: string, pending: number, lastSeq: number];
    const table: readonly Row[] = [
      ["", {}, everything, 0, 7],
      ["", { v: 1 }, "a 1-a, d 2-d deleted", 0, 7],
      ["", { v: 7 }, "", 0, 7],
      ["", { _deleted: true }, "d 2-d deleted", 0, 7],
      ["", { _deleted: { $exists: false } }, "a 1-a, b 1-a, c 2-b, _design/f 1-a", 0, 7],
      ["", { _id: { $gt: "a" } }, "b 1-a, c 2-b, d 2-d deleted", 0, 7],
      ["", { _rev: { $beginsWith: "2-" } }, "c 2-b, d 2-d deleted", 0, 7],
      ["&style=all_docs", { v: 1 }, "a 1-a, c 2-a,2-c, d 2-d deleted", 0, 7],
      ["&style=all_docs", { v: 2 }, "b 1-a, c 2-b", 0, 7],
      ["&limit=1", { v: 2 }, "b 1-a", 3, 2],
      ["&limit=2", { v: 2 }, "b 1-a, c 2-b", 2, 5],
      ["&limit=9", { v: 2 }, "b 1-a, c 2-b", 0, 7],
      ["&limit=0", { v: 2 }, "", 5, 0],
      [`&since=${database.seqText(2)}`, { v: 2 }, "c 2-b", 0, 7],
      [`&since=${database.seqText(2)}&limit=1`, { v: 1 }, "d 2-d deleted", 1, 6],
      ["&descending=true", { v: 1 }, "d 2-d deleted, a 1-a", 0, 1],
      ["&descending=true&limit=1", { v: 1 }, "d 2-d deleted", 3, 6],
      ["&feed=longpoll", { v: 2 }, "b 1-a, c 2-b", 0, 7],
      ["&feed=longpoll&timeout=0", { v: 7 }, "", 0, 7],
    ];
    for (const [query, selector, rows, pending, lastSeq] of table) {
      const asked = `${query} ${JSON.stringify(selector)}`;
      const answer: Answer = (await client.expect(200, "POST", changes + query, { body: { selector } })).json();
      assert.equal(brief(answer), rows, asked);
      assert.deepEqual([answer.pending, answer.last_seq], [pending, database.seqText(lastSeq)], asked);
    }
  });

  test("fields cut documents down, attachments are seen as stubs", async (t) => {
    const { client } = await startNotes(t);
    const file = { content_type: "text/plain", data: Buffer.from("bytes").toString("base64") };
    await client.expect(201, "PUT", "/notes/e", { body: { _attachments: { "f.txt": file }, big: 1 } });
    const docs = async (query: string, body: object) =>
      ((await client.post(`${changes}&include_docs=true${query}`, body)).json() as Answer).results.map(
        ({ doc }) => doc,
      );
    const one = { selector: { v: 1, _deleted: { $exists: false } } };
    assert.deepEqual(await docs("", { ...one, fields: ["o.q", "_id"] }), [{ o: { q: 2 }, _id: "a" }]);
    assert.deepEqual(await docs("", { ...one, fields: [] }), [{ _id: "a", _rev: "1-a", v: 1, o: { p: 1, q: 2 } }]);
    assert.deepEqual(await docs("", { selector: { _deleted: true }, fields: ["_deleted"] }), [{ _deleted: true }]);
    assert.deepEqual(await docs("&conflicts=true", { selector: { _id: "c" }, fields: ["_conflicts"] }), [
      { _conflicts: ["2-a"] },
    ]);
    const attached = { selector: { "_attachments.f\\.txt.length": 5 }, fields: ["_attachments.f\\.txt.data", "big"] };
    assert.deepEqual(await docs("", attached), [{ big: 1 }]);
    assert.deepEqual(await docs("&attachments=true", attached), [
      { _attachments: { "f.txt": { data: file.data } }, big: 1 },
    ]);
  });

  test("the entity tag is that of the question too", async (t) => {
    const { client } = await startNotes(t);
    const etagOf = async (selector: object): Promise<unknown> =>
      (await client.post(changes, { selector })).headers.etag;
    assert.equal(await etagOf({ v: 1 }), await etagOf({ v: 1 }));
    assert.notEqual(await etagOf({ v: 1 }), await etagOf({ v: 2 }));
  });

  test("continuous: the changes before and after that are wanted, and no others", async (t) => {
    const world = await startNotes(t);
    const feed = await openFeed(world, `${changes}&feed=continuous&limit=4`, {}, { selector: { v: 1 } });
    assert.deepEqual(await idsOf(feed.until(2)), ["a", "d"]);
    await writeOne(world.database, edit("no", { body: { v: 2 } }));
    await writeOne(world.database, edit("yes", { body: { v: 1 } }));
    assert.deepEqual(await idsOf(feed.until(3)), ["a", "d", "yes"]);
    await writeOne(world.database, edit("b", { on: "1-a", body: { v: 1 } }));
    await feed.end();
    assert.deepEqual(feed.lines.map(({ id }) => id).slice(3), ["b", undefined]);
  });

  test("longpoll waits for a change that is wanted, beyond those that are not", async (t) => {
    const world = await startNotes(t);
    const { database } = world;
    const feed = await openFeed(world, `${changes}&feed=longpoll&since=now&heartbeat=10`, {}, { selector: { v: 1 } });
    await waitFor("a listener", () => database.log.followed);
    await writeOne(database, edit("no", { body: { v: 2 } }));
    const soFar = feed.text.length;
    await waitFor("a sign of life", () => feed.text.length > soFar);
    assert.equal(feed.complete, false);
    await writeOne(database, edit("yes", { body: { v: 1 } }));
    const answer = JSON.parse(await feed.end()) as Answer;
    assert.deepEqual([answer.results.map(({ id }) => id), answer.last_seq], [["yes"], database.seqText(9)]);
  });

  test("what is refused", async (t) => {
    const { client } = await startNotes(t);
    const table: readonly (readonly [body: unknown, reason: string])[] = [
      ["", "Selector error: expected a JSON object"],
      [{ selector: null }, "Selector error: expected a JSON object"],
      [{ selector: [] }, "Selector error: expected a JSON object"],
      [{ selector: { $foo: 1 } }, "Invalid operator: $foo"],
      [{ selector: { a: { $in: 1 } } }, "Bad argument for operator $in: 1"],
      [{ selector: { $eq: 1 } }, "One or more conditions is missing a field name."],
      [{ selector: {}, fields: "a" }, "Selector error: fields must be JSON array"],
      [{ selector: {}, fields: [1] }, "Invalid JSON for field spec: 1"],
    ];
    for (const [body, reason] of table) {
      const answer = (await client.expect(400, "POST", changes, { body })).json();
      assert.deepEqual(answer, { error: "bad_request", reason });
    }
    const { error, reason } = (await client.expect(400, "GET", changes)).json();
    assert.deepEqual([error, reason], ["bad_request", "Selector must be specified in POST payload"]);
  });
});

async function idsOf(lines: Promise<readonly Record<string, unknown>[]>): Promise<readonly unknown[]> {
  return (await lines).map(({ id }) => id);
}
