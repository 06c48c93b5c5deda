import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseDatabaseName } from "../../../protocol/ids.js";
import { basic } from "../../helpers/http-client.js";
import { startHttpWorld } from "../../helpers/http-world.js";
import { edit, replicated, writeOne } from "../../helpers/incoming-revisions.js";

const ada = { name: "ada", password: "long enough" };
const asAda = { authorization: basic(ada.name, ada.password) };

describe("_purge", () => {
  test("is for server administrators; members may read what was purged", async (t) => {
    const { client, databases, gateway } = await startHttpWorld(t);
    await gateway.signUp(ada);
    const database = await databases.create(parseDatabaseName("notes"));
    await database.setSecurity({ members: { names: ["ada"] }, admins: { names: ["ada"] } });
    await writeOne(database, replicated("a", "1-a 2-b"));
    await client.expect(401, "POST", "/notes/_purge", { ...asAda, body: { a: ["2-b"] } });
    await client.expect(401, "PUT", "/notes/_purged_infos_limit", { ...asAda, body: 5 });
    const purged = await client.expect(201, "POST", "/notes/_purge", { body: { a: ["2-b"], b: ["1-a"] } });
    assert.deepEqual(purged.json(), { purge_seq: null, purged: { a: ["2-b"], b: [] } });
    const infos = await client.expect(200, "GET", "/notes/_purged_infos", asAda);
    assert.deepEqual(infos.json(), {
      purged_infos: [
        { id: "a", revs: ["2-b"] },
        { id: "b", revs: ["1-a"] },
      ],
    });
    const { purge_seq, update_seq, doc_count } = (await client.get("/notes")).json();
    assert.match(purge_seq, /^2-/);
    assert.match(update_seq, /^2-/);
    assert.equal(doc_count, 0);
  });

  test("of an account ends it at once: no password that was right a moment ago is remembered", async (t) => {
    const { client, gateway } = await startHttpWorld(t);
    await gateway.signUp(ada);
    assert.equal((await client.get("/_session", asAda)).json().userCtx.name, "ada");
    const id = "org.couchdb.user:ada";
    const { _rev } = (await client.get(`/_users/${id}`)).json();
    await client.expect(201, "POST", "/_users/_purge", { body: { [id]: [_rev] } });
    await client.expect(401, "GET", "/_session", asAda);
  });

  test("is no change to a feed, unless something is left to tell of", async (t) => {
    const { client, databases } = await startHttpWorld(t);
    const database = await databases.create(parseDatabaseName("notes"));
    const gone = await writeOne(database, edit("gone"));
    await writeOne(database, replicated("left", "1-a"));
    await writeOne(database, replicated("left", "1-b"));
    const { last_seq } = (await client.get("/notes/_changes")).json();
    await client.post("/notes/_purge", { gone: [gone], left: ["1-b"] });
    const { results, last_seq: now, pending } = (await client.get(`/notes/_changes?since=${last_seq}`)).json();
    assert.deepEqual(
      results.map(({ id, changes }: { readonly id: string; readonly changes: unknown }) => [id, changes]),
      [["left", [{ rev: "1-a" }]]],
    );
    assert.equal(pending, 0);
    assert.deepEqual((await client.get(`/notes/_changes?since=${now}`)).json().results, []);
    assert.deepEqual((await client.get("/notes/_all_docs")).json().total_rows, 1);
  });
});
