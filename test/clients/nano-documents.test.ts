import { deepEqual, equal, match, rejects } from "node:assert/strict";
import { after, before, test } from "node:test";
import nano from "nano";
import { type SetteeProcess, startSettee } from "../helpers/settee-process.js";

interface Note {
  readonly type: string;
  readonly text: string;
}

const note = (text: string): Note => ({ type: "note", text });

let settee: SetteeProcess;
let server: nano.ServerScope;
before(async () => {
  settee = await startSettee();
  server = nano(settee.adminUrl);
});
after(() => settee.close());

async function newDatabase(name: string): Promise<nano.DocumentScope<Note>> {
  await server.db.create(name);
  return server.use<Note>(name);
}

test("databases are created, listed, described and destroyed", async () => {
  deepEqual(await server.db.create("first"), { ok: true });
  await rejects(server.db.create("first"), { statusCode: 412, error: "file_exists" });
  equal((await server.db.list()).includes("first"), true);
  const information = await server.db.get("first");
  equal(information.db_name, "first");
  equal(information.doc_count, 0);
  deepEqual(await server.db.destroy("first"), { ok: true });
  await rejects(server.db.get("first"), { statusCode: 404, error: "not_found" });
});

test("a document lives: insert, get, head, edit, conflict, destroy", async () => {
  const db = await newDatabase("life");
  const inserted = await db.insert(note("one"), "note-1");
  equal(inserted.ok, true);
  equal(inserted.id, "note-1");
  match(inserted.rev, /^1-[0-9a-f]{32}$/);
  const { _rev, ...read } = await db.get("note-1");
  deepEqual(read, { _id: "note-1", ...note("one") });
  equal((await db.head("note-1")).etag, `"${_rev}"`);

  const edited = await db.insert({ _id: "note-1", _rev, ...note("two") } as nano.MaybeDocument & Note);
  match(edited.rev, /^2-/);
  await rejects(db.insert({ _id: "note-1", _rev, ...note("late") } as nano.MaybeDocument & Note), {
    statusCode: 409,
    error: "conflict",
  });
  equal((await db.get("note-1", { rev: _rev })).text, "one");
  equal((await db.get("note-1", { revs_info: true }))._revs_info?.length, 2);

  await db.destroy("note-1", edited.rev);
  await rejects(db.get("note-1"), { statusCode: 404, reason: "deleted" });
  const generated = await db.insert(note("without an id"));
  equal((await db.get(generated.id)).text, "without an id");
});

test("ids with slashes, spaces and letters of any script survive", async () => {
  const db = await newDatabase("ids");
  for (const id of ["a/b", "a b", "a+b", "für immer", "文書", "🛋", "100%", "?q=1#x"]) {
    await db.insert(note(id), id);
    equal((await db.get(id)).text, id);
  }
  equal((await db.list()).rows.length, 8);
});

test("bulk, list, fetch and fetchRevs agree", async () => {
  const db = await newDatabase("bulk");
  const docs = Array.from({ length: 20 }, (_, index) => ({ _id: `n${String(index).padStart(2, "0")}`, ...note("x") }));
  const outcomes = await db.bulk({ docs });
  deepEqual(
    outcomes.map(({ id }) => id),
    docs.map(({ _id }) => _id),
  );
  const again = await db.bulk({ docs: docs.slice(0, 2) });
  deepEqual(
    again.map(({ error }) => error),
    ["conflict", "conflict"],
  );

  const page = await db.list({ start_key: "n05", limit: 3, include_docs: true });
  deepEqual(
    page.rows.map(({ doc }) => doc?._id),
    ["n05", "n06", "n07"],
  );
  equal(page.total_rows, 20);
  const fetched = await db.fetch({ keys: ["n19", "absent", "n00"] });
  deepEqual(
    fetched.rows.map((row) => ("error" in row ? row.error : row.id)),
    ["n19", "not_found", "n00"],
  );
  const revisions = await db.fetchRevs({ keys: ["n01"] });
  equal((revisions.rows[0] as { value: { rev: string } }).value.rev, outcomes[1]?.rev);
});

test("a listing as a stream is the listing", async () => {
  const db = await newDatabase("stream");
  await db.bulk({ docs: Array.from({ length: 500 }, (_, index) => ({ _id: `n${index}`, ...note("ä") })) });
  const pieces: Buffer[] = [];
  for await (const piece of db.listAsStream({ include_docs: true })) pieces.push(Buffer.from(piece));
  deepEqual(JSON.parse(String(Buffer.concat(pieces))), await db.list({ include_docs: true }));
});

test("local documents are written, read and destroyed, and stand in no listing", async () => {
  const db = await newDatabase("local");
  const { rev, id } = await db.insert(note("here only"), "_local/state");
  deepEqual([id, rev], ["_local/state", "0-1"]);
  equal((await db.insert({ ...note("again"), _rev: rev } as Note, "_local/state")).rev, "0-2");
  equal((await db.get("_local/state")).text, "again");
  deepEqual([(await db.list()).rows, (await db.changes()).results], [[], []]);
  await db.destroy("_local/state", "0-2");
  await rejects(db.get("_local/state"), { statusCode: 404 });
});

test("a wrong password is told so", async () => {
  const wrong = nano(settee.adminUrl.replace(":a-long", ":a-wrong"));
  await rejects(wrong.db.list(), { statusCode: 401, error: "unauthorized" });
});
