/** Show, update and list functions by nano, as apps call them. */
import { deepEqual, equal, rejects } from "node:assert/strict";
import { after, before, test } from "node:test";
import nano from "nano";
import { type SetteeProcess, startSettee } from "../helpers/settee-process.js";

interface Note {
  readonly text: string;
}

let settee: SetteeProcess;
let db: nano.DocumentScope<Note>;
before(async () => {
  settee = await startSettee();
  const server = nano(settee.adminUrl);
  await server.db.create("notes");
  db = server.use<Note>("notes");
  await db.insert({
    _id: "_design/app",
    views: { texts: { map: "function (doc) { emit(doc.text, null); }" } },
    shows: { one: "function (doc, req) { return { json: { text: doc.text, asked: req.query.asked } }; }" },
    updates: {
      set: "function (doc, req) { var body = JSON.parse(req.body); doc[body.field] = body.value; return [doc, { json: { ok: true } }]; }",
    },
    lists: {
      csv: "function () { start({ headers: { 'Content-Type': 'text/csv' } }); var row; while (row = getRow()) send(row.key + '\\n'); }",
    },
  } as nano.MaybeDocument as Note & nano.MaybeDocument);
  await db.insert({ text: "b" }, "b");
  await db.insert({ text: "a" }, "a");
});
after(() => settee.close());

test("show", async () => {
  deepEqual(await db.show("app", "one", "a", { asked: "yes" }), { text: "a", asked: "yes" });
  await rejects(db.show("app", "one", "nope"), { statusCode: 404, error: "not_found" });
});

test("atomic", async () => {
  deepEqual(await db.atomic("app", "set", "b", { field: "text", value: "c" }), { ok: true });
  equal((await db.get("b")).text, "c");
});

test("viewWithList", async () => {
  equal(await db.viewWithList("app", "texts", "csv"), "a\nc\n");
  equal(await db.viewWithList("app", "texts", "csv", { limit: 1, descending: true }), "c\n");
  const chunks: Buffer[] = [];
  for await (const chunk of db.viewWithListAsStream("app", "texts", "csv")) chunks.push(chunk as Buffer);
  equal(Buffer.concat(chunks).toString(), "a\nc\n");
});
