import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseDatabaseName } from "../../../protocol/ids.js";
import { contentsOf } from "../../helpers/database-facts.js";
import { basic, HttpClient } from "../../helpers/http-client.js";
import { startHttpWorld } from "../../helpers/http-world.js";
import { edit, replicated, writeOne } from "../../helpers/incoming-revisions.js";
import { startSetteeHere } from "../../helpers/settee-here.js";
import { waitFor } from "../../helpers/wait-for.js";

const ada = { name: "ada", password: "long enough" };
const asAda = { authorization: basic(ada.name, ada.password) };

async function replicate(client: HttpClient, body: unknown, status = 200) {
  return (await client.expect(status, "POST", "/_replicate", { body })).json();
}

async function idsIn(client: HttpClient, database: string): Promise<readonly string[]> {
  const { rows } = (await client.get(`/${database}/_all_docs`)).json() as { rows: readonly { id: string }[] };
  return rows.map(({ id }) => id);
}

async function worldWithSource(t: Parameters<typeof startHttpWorld>[0]) {
  const world = await startHttpWorld(t);
  const source = await world.databases.create(parseDatabaseName("source"));
  for (const [id, k] of Object.entries({ a: 1, b: 2, c: 3 })) await writeOne(source, edit(id, { body: { k } }));
  return { ...world, source };
}

describe("_replicate between databases of the server", () => {
  test("copies trees with their conflicts and attachments, and says so in its history", async (t) => {
    const { client, databases, source } = await worldWithSource(t);
    await writeOne(source, replicated("conflict", "1-a 2-b"));
    await writeOne(source, replicated("conflict", "1-a 2-c"));
    await writeOne(source, replicated("gone", "1-a 2-b", { deleted: true }));
    const data = Buffer.from("large ".repeat(5000)).toString("base64");
    await client.expect(201, "PUT", "/source/attached", {
      body: {
        _attachments: { text: { content_type: "text/plain", data }, "ü%/?": { content_type: "a/b", data: "YQ==" } },
      },
    });
    const answer = await replicate(client, { source: "source", target: "target", create_target: true });
    const { history } = answer;
    assert.equal(answer.ok, true);
    assert.equal(history.length, 1);
    assert.equal(history[0].session_id, answer.session_id);
    assert.equal(history[0].recorded_seq, answer.source_last_seq);
    assert.deepEqual(
      [history[0].missing_checked, history[0].docs_read, history[0].docs_written, history[0].doc_write_failures],
      [7, 7, 7, 0],
    );
    const target = await databases.open(parseDatabaseName("target"));
    assert.deepEqual(await contentsOf(target), await contentsOf(source));
    // A part of an attachment only: nothing is left to be sent.
    const again = await replicate(client, { source: "source", target: "target" });
    assert.deepEqual([again.no_changes, again.session_id], [true, answer.session_id]);
  });

  test("keeps the same checkpoint on both sides, and goes on from it", async (t) => {
    const { client, source } = await worldWithSource(t);
    const first = await replicate(client, { source: "source", target: "target", create_target: true });
    await writeOne(source, edit("d"));
    const second = await replicate(client, { source: "source", target: "target" });
    assert.deepEqual(
      second.history.map(({ session_id }: { session_id: string }) => session_id),
      [second.session_id, first.session_id],
    );
    assert.equal(second.history[0].start_last_seq, first.source_last_seq);
    // As in CouchDB, counting goes on where the session before stopped.
    assert.equal(second.history[0].docs_written, 4);
    const locals = await Promise.all(
      ["source", "target"].map(async (name) => {
        const { rows } = (await client.get(`/${name}/_local_docs?include_docs=true`)).json();
        assert.equal(rows.length, 1);
        const { _rev, ...checkpoint } = rows[0].doc;
        return checkpoint;
      }),
    );
    assert.deepEqual(locals[0], locals[1]);
    assert.equal(locals[0].source_last_seq, second.source_last_seq);
  });

  test("a target that was made anew gets everything again", async (t) => {
    const { client } = await worldWithSource(t);
    await replicate(client, { source: "source", target: "target", create_target: true });
    await client.expect(200, "DELETE", "/target");
    await replicate(client, { source: "source", target: "target", create_target: true });
    assert.deepEqual(await idsIn(client, "target"), ["a", "b", "c"]);
  });

  const narrowed: readonly (readonly [string, Record<string, unknown>, readonly string[]])[] = [
    ["doc_ids", { doc_ids: ["a", "c", "nope"] }, ["a", "c"]],
    ["selector", { selector: { k: { $gt: 1 } } }, ["b", "c"]],
    ["filter", { filter: "f/from", query_params: { min: 3 } }, ["c"]],
    ["a view as filter", { filter: "_view", query_params: { view: "f/odd" } }, ["a", "c"]],
    ["_design", { filter: "_design" }, ["_design/f"]],
  ];
  for (const [name, options, expected] of narrowed) {
    test(`${name} lets through what it is for`, async (t) => {
      const { client } = await worldWithSource(t);
      const filters = { from: "function (doc, req) { return doc.k >= Number(req.query.min); }" };
      const views = { odd: { map: "function (doc) { if (doc.k % 2) emit(doc.k); }" } };
      await client.expect(201, "PUT", "/source/_design/f", { body: { filters, views } });
      const answer = await replicate(client, { source: "source", target: "target", create_target: true, ...options });
      assert.deepEqual(await idsIn(client, "target"), expected);
      assert.equal(answer.history[0].docs_written, expected.length);
      const again = await replicate(client, { source: "source", target: "target", ...options });
      assert.equal(again.no_changes, true, "what was left out is not looked at again");
    });
  }

  test("since_seq, winning_revs_only, use_checkpoints", async (t) => {
    const { client, databases, source } = await worldWithSource(t);
    const since = source.seqText(2);
    await replicate(client, { source: "source", target: "later", create_target: true, since_seq: since });
    assert.deepEqual(await idsIn(client, "later"), ["c"]);

    await writeOne(source, replicated("conflict", "1-a 2-b"));
    await writeOne(source, replicated("conflict", "1-a 2-c"));
    const winners = { source: "source", target: "winners", create_target: true, winning_revs_only: true };
    await replicate(client, winners);
    const tree = (await databases.open(parseDatabaseName("winners"))).find("conflict")?.record.tree;
    assert.deepEqual(
      tree?.map(({ hash }) => hash),
      ["a", "c"],
    );

    const answer = await replicate(client, {
      source: "source",
      target: "x",
      create_target: true,
      use_checkpoints: false,
    });
    assert.deepEqual(answer, { ok: true, use_checkpoints: false });
    assert.deepEqual((await client.get("/x/_local_docs")).json().rows, []);
  });

  test("create_target_params make a partitioned target", async (t) => {
    const { client, databases } = await startHttpWorld(t);
    await databases.create(parseDatabaseName("source"), { partitioned: true });
    const params = { create_target: true, create_target_params: { partitioned: true, q: 2 } };
    await replicate(client, { source: "source", target: "target", ...params });
    assert.deepEqual((await client.get("/target")).json().props, { partitioned: true });
  });

  test("what a validation function refuses is counted, and the rest goes on", async (t) => {
    const here = await startSetteeHere();
    t.after(() => here.close());
    const client = new HttpClient(here.url, here.adminAuthorization);
    t.after(() => client.close());
    for (const name of ["source", "target"]) await client.expect(201, "PUT", `/${name}`);
    const docs = Array.from({ length: 20 }, (_, n) => ({ _id: `doc-${n}`, bad: n % 4 === 0 }));
    await client.expect(201, "POST", "/source/_bulk_docs", { body: { docs } });
    const rule = "function (doc) { if (doc.bad) throw { forbidden: 'bad' }; }";
    await client.expect(201, "PUT", "/target/_design/rule", { body: { validate_doc_update: rule } });
    const { history } = await replicate(client, { source: "source", target: "target" });
    assert.deepEqual([history[0].docs_read, history[0].docs_written, history[0].doc_write_failures], [20, 15, 5]);
    assert.equal((await idsIn(client, "target")).length, 16);
  });

  test("without end: 202 and an id, changes pass at once, and the id ends it", async (t) => {
    const { client, source, databases } = await worldWithSource(t);
    const body = { source: "source", target: "target", create_target: true, continuous: true };
    const { ok, _local_id: id } = await replicate(client, body, 202);
    assert.equal(ok, true);
    assert.match(id, /^[0-9a-f]{32}\+continuous\+create_target$/);
    assert.equal((await replicate(client, body, 202))._local_id, id, "twice is once");
    const target = await waitFor("the target", () => databases.opened(parseDatabaseName("target")));
    await waitFor("what was there", () => target.find("c"));
    await writeOne(source, edit("fresh"));
    await waitFor("a change", () => target.find("fresh"));
    const { jobs, total_rows } = (await client.get("/_scheduler/jobs")).json();
    assert.deepEqual([total_rows, jobs[0].id, jobs[0].user, jobs[0].database], [1, id, "admin", null]);
    assert.equal((await client.get(`/_scheduler/jobs/${encodeURIComponent(id)}`)).json().id, id);
    const [task] = (await client.get("/_active_tasks")).json();
    assert.deepEqual([task.type, task.replication_id, task.continuous], ["replication", id, true]);
    assert.deepEqual(await replicate(client, { ...body, cancel: true }), { ok: true, _local_id: id });
    assert.deepEqual((await client.get("/_scheduler/jobs")).json().jobs, []);
    assert.deepEqual((await client.get("/_active_tasks")).json(), []);
    await writeOne(source, edit("too late"));
    await replicate(client, { replication_id: id, cancel: true }, 404);
    assert.equal(target.find("too late"), undefined);
  });

  test("the server's own URL is a database of the server: credentials count, and nobody is anybody", async (t) => {
    const { client, url, gateway } = await worldWithSource(t);
    await gateway.signUp(ada);
    const auth = { basic: { username: "admin", password: "a-long-password-for-tests" } };
    const target = { url: `${url}/target`, auth };
    await replicate(client, { source: { url: `${url}/source`, auth }, target, create_target: true });
    const wrong = { basic: { username: "admin", password: "no" } };
    const refused = await replicate(client, { source: { url: `${url}/source`, auth: wrong }, target }, 500);
    assert.equal(refused.error, "replication_auth_error");
    assert.doesNotMatch(JSON.stringify(refused), /a-long-password/);
    // The caller is an administrator, the URL comes without a name: it is nobody's.
    assert.equal((await replicate(client, { source: `${url}/source`, target }, 401)).error, "unauthorized");
  });

  test("acts as whoever asks: no database is opened that they may not open, and none is made", async (t) => {
    const { client, databases, gateway } = await worldWithSource(t);
    await gateway.signUp(ada);
    await databases.create(parseDatabaseName("theirs"));
    await client.expect(200, "PUT", "/theirs/_security", { body: { members: { names: ["ada"] } } });
    const ask = (body: unknown, status: number) => client.expect(status, "POST", "/_replicate", { ...asAda, body });
    await ask({ source: "source", target: "theirs" }, 403);
    await ask({ source: "theirs", target: "source" }, 403);
    await ask({ source: "theirs", target: "new", create_target: true }, 401);
    assert.equal(databases.exists(parseDatabaseName("new")), false);
    await client.expect(200, "PUT", "/source/_security", { body: { members: { names: ["ada"] } } });
    await client.expect(201, "PUT", "/source/_design/d", { body: { language: "x" } });
    const { history } = (await ask({ source: "source", target: "theirs" }, 200)).json();
    // Members cannot write design documents, by this way either.
    assert.deepEqual([history[0].docs_written, history[0].doc_write_failures], [3, 1]);
    const elsewhere = (await ask({ source: "http://192.0.2.1/db", target: "theirs" }, 403)).json();
    assert.match(elsewhere.reason, /not allowed to replicate with other servers/);
    await client.expect(401, "POST", "/_replicate", { authorization: null, body: { source: "a", target: "b" } });
  });

  test("another's replication is not theirs to end", async (t) => {
    const { client, gateway } = await worldWithSource(t);
    await gateway.signUp(ada);
    const body = { source: "source", target: "target", create_target: true, continuous: true };
    const { _local_id: id } = await replicate(client, body, 202);
    await client.expect(401, "POST", "/_replicate", { ...asAda, body: { replication_id: id, cancel: true } });
    await replicate(client, { replication_id: id, cancel: true });
  });
});
