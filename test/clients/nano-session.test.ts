/** Nano and a plain client log in as they do with CouchDB, and keep the cookie that the server renews. */
import assert from "node:assert/strict";
import { test } from "node:test";
import nano from "nano";
import { startSetteeHere } from "../helpers/settee-here.js";

test("nano logs in, works with the cookie, and is nobody after the log-out", async (t) => {
  const settee = await startSetteeHere();
  t.after(() => settee.close());
  const ada = { name: "ada", password: "long enough" };
  await settee.client.expect(201, "POST", "/_settee/signup", { body: ada });
  const couch = nano({ url: settee.url });
  assert.deepEqual(await couch.auth(ada.name, ada.password), { ok: true, name: "ada", roles: [] });
  assert.deepEqual((await couch.session()).userCtx, { name: "ada", roles: [] });
  const notes = couch.db.use("_me");
  const { rev } = await notes.insert({ type: "note", text: "by cookie" } as nano.MaybeDocument, "note-1");
  assert.equal((await notes.get("note-1"))._rev, rev);
  await couch.request({ method: "DELETE", path: "_session" });
  assert.equal((await couch.session()).userCtx.name, null);
  await assert.rejects(notes.get("note-1"), { statusCode: 401 });
});
