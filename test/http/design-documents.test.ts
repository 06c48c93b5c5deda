/** Design documents are checked wherever they come in. */
import assert from "node:assert/strict";
import test from "node:test";
import { startHttpWorld } from "../helpers/http-world.js";

const broken = { views: { v: { map: "function(doc){ emit(1, " } } };
const reason =
  "Compilation of the map function in the 'v' view failed: SyntaxError: unexpected token in expression: '' (function(doc){ emit(1, )";

test("a map function that does not compile is refused on every way in", async (t) => {
  const { client } = await startHttpWorld(t);
  await client.expect(201, "PUT", "/db");
  const put = await client.put("/db/_design/a", broken);
  assert.deepEqual([put.status, put.json()], [400, { error: "compilation_error", reason }]);
  const post = await client.post("/db", { _id: "_design/a", ...broken });
  assert.deepEqual([post.status, post.json()], [400, { error: "compilation_error", reason }]);
  const good = { _id: "_design/good", views: { v: { map: "doc => emit(1)" } } };
  const bulk = await client.post("/db/_bulk_docs", { docs: [{ _id: "_design/a", ...broken }, good, { _id: "x" }] });
  const [refused, saved, plain] = bulk.json();
  assert.deepEqual(refused, { id: "_design/a", error: "compilation_error", reason });
  assert.deepEqual([saved?.ok, plain?.ok], [true, true]);
  const replicated = { _id: "_design/a", _rev: "1-abc", _revisions: { start: 1, ids: ["abc"] }, ...broken };
  const pushed = await client.post("/db/_bulk_docs", { new_edits: false, docs: [replicated] });
  assert.deepEqual(pushed.json(), [{ id: "_design/a", rev: "1-abc", error: "compilation_error", reason }]);
  assert.equal((await client.get("/db/_design/a")).status, 404);
});

test("a design document can be deleted whatever is in it", async (t) => {
  const { client } = await startHttpWorld(t);
  await client.expect(201, "PUT", "/db");
  const { rev } = (await client.put("/db/_design/a", {})).json();
  assert.equal((await client.put("/db/_design/a", { _rev: rev, _deleted: true, views: 1 })).status, 200);
});
