import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseDatabaseName } from "../../../protocol/ids.js";
import { basic, type HttpClient } from "../../helpers/http-client.js";
import { startHttpWorld } from "../../helpers/http-world.js";
import { edit, writeOne } from "../../helpers/incoming-revisions.js";
import { waitFor } from "../../helpers/wait-for.js";

const ada = { name: "ada", password: "long enough" };
const bob = { name: "bob", password: "long enough too" };
const as = ({ name, password }: typeof ada) => ({ authorization: basic(name, password) });

type Json = Readonly<Record<string, unknown>>;

async function world(t: Parameters<typeof startHttpWorld>[0]) {
  const started = await startHttpWorld(t, undefined, {
    config: { replicator: { interval: 50, startupJitter: 0 } },
  });
  const source = await started.databases.create(parseDatabaseName("source"));
  for (const id of ["a", "b"]) await writeOne(source, edit(id));
  return { ...started, source };
}

/** The document once its replication is over. */
async function finished(client: HttpClient, id: string, database = "_replicator"): Promise<Json> {
  return await waitFor(`the end of ${id}`, async () => {
    const document = (await client.get(`/${database}/${id}`)).json();
    return document._replication_state === undefined ? undefined : document;
  });
}

async function stateOf(client: HttpClient, id: string): Promise<Json> {
  return (await client.get(`/_scheduler/docs/_replicator/${id}`)).json();
}

describe("documents of _replicator", () => {
  test("replicate, and tell how it went", async (t) => {
    const { client } = await world(t);
    const body = { source: "source", target: "target", create_target: true };
    await client.expect(201, "PUT", "/_replicator/once", { body });
    const document = await finished(client, "once");
    assert.equal(document["_replication_state"], "completed");
    assert.match(String(document["_replication_id"]), /^[0-9a-f]{32}\+create_target$/);
    assert.match(String(document["_replication_state_time"]), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    assert.equal((document["_replication_stats"] as Json)["docs_written"], 2);
    assert.equal(document["owner"], "admin");
    const { state, info, error_count } = await stateOf(client, "once");
    assert.deepEqual([state, (info as Json)["docs_written"], error_count], ["completed", 2, 0]);
    // What is over stays over, its members going round through a client.
    await client.expect(201, "PUT", "/_replicator/once", { body: { ...document, note: "seen" } });
    assert.equal((await stateOf(client, "once"))["state"], "completed");
    assert.deepEqual((await client.get("/_scheduler/jobs")).json().jobs, []);
  });

  test("without end: changes pass as they are written, until the document goes", async (t) => {
    const { client, source, databases } = await world(t);
    const body = { source: "source", target: "target", create_target: true, continuous: true };
    const { rev } = (await client.expect(201, "PUT", "/_replicator/live", { body })).json();
    const target = await waitFor("the target", () => databases.opened(parseDatabaseName("target")));
    await waitFor("what was there", () => target.find("b"));
    for (let n = 0; n < 20; n++) {
      await writeOne(source, edit(`live-${n}`));
      await waitFor(`change ${n}`, () => target.find(`live-${n}`), { interval: 1 });
    }
    assert.equal((await stateOf(client, "live"))["state"], "running");
    assert.equal((await client.get("/_replicator/live")).json()._rev, rev, "nothing is written while it runs");
    await client.expect(200, "DELETE", `/_replicator/live?rev=${rev}`);
    await waitFor("its end", async () => (await client.get("/_scheduler/jobs")).json().total_rows === 0);
    await writeOne(source, edit("too late"));
    await client.expect(404, "GET", "/_scheduler/docs/_replicator/live");
    assert.equal(target.find("too late"), undefined);
  });

  test("an edit starts another replication in place of the first", async (t) => {
    const { client } = await world(t);
    const put = async (target: string, rev?: string) =>
      (
        await client.expect(201, "PUT", "/_replicator/doc", {
          body: { ...(rev ? { _rev: rev } : {}), source: "source", target, create_target: true, continuous: true },
        })
      ).json().rev as string;
    const rev = await put("first");
    await waitFor("the first", async () => (await client.get("/first")).status === 200);
    await put("second", rev);
    await waitFor("the second", async () => (await client.get("/second/a")).status === 200);
    const { jobs } = (await client.get("/_scheduler/jobs")).json();
    assert.deepEqual(
      jobs.map(({ target }: { target: string }) => new URL(target).pathname),
      ["/second/"],
    );
  });

  test("two documents for the same replication: the second says which one it is", async (t) => {
    const { client } = await world(t);
    const body = { source: "source", target: "target", create_target: true, continuous: true };
    await client.expect(201, "PUT", "/_replicator/first", { body });
    await waitFor("the first", async () => (await stateOf(client, "first"))["state"] === "running");
    await client.expect(201, "PUT", "/_replicator/second", { body });
    const document = await finished(client, "second");
    assert.equal(document["_replication_state"], "failed");
    assert.match(String(document["_replication_state_reason"]), /already started, triggered by document `first`/);
  });

  test("what fails is tried again, and well when its cause is gone", async (t) => {
    const { client, databases } = await world(t);
    await client.expect(201, "PUT", "/_replicator/doc", { body: { source: "source", target: "missing" } });
    const crashing = await waitFor("a failure", async () => {
      const state = await stateOf(client, "doc");
      return Number(state["error_count"]) > 1 ? state : undefined;
    });
    assert.equal(crashing["state"], "crashing");
    assert.match(JSON.stringify(crashing["info"]), /could not open/);
    const [job] = (await client.get("/_scheduler/jobs")).json().jobs;
    assert.ok(job.history.some(({ type, reason }: { type: string; reason?: string }) => type === "crashed" && reason));
    await databases.create(parseDatabaseName("missing"));
    assert.equal((await finished(client, "doc"))["_replication_state"], "completed");
  });

  test("databases that end in /_replicator are such databases too, from their first moment to their last", async (t) => {
    const { client } = await world(t);
    await client.expect(201, "PUT", "/team%2F_replicator");
    const body = { source: "source", target: "target", create_target: true, continuous: true };
    await client.expect(201, "PUT", "/team%2F_replicator/doc", { body });
    await waitFor("the target", async () => (await client.get("/target/a")).status === 200);
    for (const path of [
      "/_scheduler/docs/team/_replicator",
      "/_scheduler/docs/team%2F_replicator",
      "/_scheduler/docs",
    ]) {
      const { docs, total_rows } = (await client.expect(200, "GET", path)).json();
      assert.deepEqual([total_rows, docs[0].database, docs[0].doc_id], [1, "team/_replicator", "doc"]);
    }
    assert.equal((await client.get("/_scheduler/docs/team/_replicator/doc")).json().state, "running");
    await client.expect(200, "DELETE", "/team%2F_replicator");
    await waitFor("its end", async () => (await client.get("/_scheduler/jobs")).json().total_rows === 0);
  });

  const bad: readonly (readonly [string, Json, RegExp])[] = [
    ["no target", { source: "a" }, /Missing replicator database/],
    ["two filters", { source: "a", target: "b", doc_ids: [], selector: {} }, /mutually exclusive/],
    ["no boolean", { source: "a", target: "b", continuous: 1 }, /must be a boolean/],
    ["an end that is none", { source: { url: "ftp://a/b" }, target: "b" }, /invalid url/],
    [
      "a header that belongs to the connection",
      { source: { url: "http://a/b", headers: { Host: "x" } }, target: "b" },
      /cannot be set/,
    ],
    ["half a password", { source: { url: "http://a/b", auth: { basic: { username: "x" } } }, target: "b" }, /password/],
    ["a strange user_ctx", { source: "a", target: "b", user_ctx: { roles: [1] } }, /user_ctx/],
  ];
  for (const [name, body, reason] of bad) {
    test(`with ${name}: 403, and nothing is stored`, async (t) => {
      const { client } = await world(t);
      const answer = (await client.expect(403, "PUT", "/_replicator/bad", { body })).json();
      assert.equal(answer.error, "forbidden");
      assert.match(answer.reason, reason);
      await client.expect(404, "GET", "/_replicator/bad");
    });
  }
});

describe("whose replication it is", () => {
  async function shared(t: Parameters<typeof startHttpWorld>[0]) {
    const started = await world(t);
    const { client, gateway, databases } = started;
    await gateway.signUp(ada);
    await gateway.signUp(bob);
    await client.expect(200, "PUT", "/_replicator/_security", { body: { members: { names: ["ada", "bob"] } } });
    await databases.create(parseDatabaseName("adas"));
    await client.expect(200, "PUT", "/adas/_security", { body: { members: { names: ["ada"] } } });
    return started;
  }

  test("it acts as its owner, who is whoever wrote it", async (t) => {
    const { client } = await shared(t);
    const body = { source: "source", target: "adas" };
    await client.expect(201, "PUT", "/_replicator/of-ada", { ...as(ada), body });
    const refused = await waitFor("a refusal", async () => {
      const { state, info } = await stateOf(client, "of-ada");
      return state === "crashing" ? (info as Json) : undefined;
    });
    assert.match(String(refused["error"]), /not allowed to access this db/);
    await client.expect(200, "PUT", "/source/_security", { body: { members: { names: ["ada"] } } });
    assert.equal((await finished(client, "of-ada"))["owner"], "ada");
  });

  test("nobody writes, edits or deletes in another's name, or with more than is theirs", async (t) => {
    const { client } = await shared(t);
    const body = { source: "source", target: "adas", continuous: true };
    const refused = async (who: typeof ada, document: Json, path = "/_replicator/x") =>
      await client.expect(403, "PUT", path, { ...as(who), body: document });
    await refused(ada, { ...body, owner: "admin" });
    await refused(ada, { ...body, owner: "bob" });
    await refused(ada, { ...body, user_ctx: { name: "admin", roles: [] } });
    await refused(ada, { ...body, user_ctx: { name: "ada", roles: ["_admin"] } });
    const { rev } = (await client.expect(201, "PUT", "/_replicator/x", { ...as(ada), body })).json();
    await refused(bob, { ...body, _rev: rev });
    await refused(bob, { ...body, _rev: rev, owner: "bob" });
    await client.expect(403, "DELETE", `/_replicator/x?rev=${rev}`, as(bob));
    const push = { docs: [{ _id: "x", _rev: `9-${"f".repeat(32)}`, ...body, owner: "admin" }], new_edits: false };
    const rows = (await client.expect(201, "POST", "/_replicator/_bulk_docs", { ...as(bob), body: push })).json();
    assert.equal(rows[0].error, "forbidden");
    assert.equal((await client.get("/_replicator/x")).json()._rev, rev);
    await client.expect(200, "DELETE", `/_replicator/x?rev=${rev}`, as(ada));
  });

  test("an administrator may delegate, an administrator of the database may not", async (t) => {
    const { client, gateway } = await shared(t);
    await gateway.signUp({ name: "chief", password: "long enough as well" });
    const security = { admins: { names: ["chief"] }, members: { names: ["ada"] } };
    await client.expect(200, "PUT", "/_replicator/_security", { body: security });
    const body = { source: "source", target: "t", create_target: true, user_ctx: { name: "x", roles: ["_admin"] } };
    const chief = { authorization: basic("chief", "long enough as well") };
    await client.expect(403, "PUT", "/_replicator/d", { ...chief, body });
    await client.expect(403, "PUT", "/_replicator/d", {
      ...chief,
      body: { ...body, user_ctx: undefined, owner: "admin" },
    });
    await client.expect(201, "PUT", "/_replicator/d", { body });
    assert.equal((await finished(client, "d"))["_replication_state"], "completed");
  });

  test("an owner who is gone replicates no more", async (t) => {
    const { client, source } = await shared(t);
    await client.expect(200, "PUT", "/source/_security", { body: { members: { names: ["ada"] } } });
    const body = { source: "source", target: "adas", continuous: true };
    await client.expect(201, "PUT", "/_replicator/live", { ...as(ada), body });
    await waitFor("what was there", async () => (await client.get("/adas/a")).status === 200);
    const account = (await client.get("/_users/org.couchdb.user:ada")).json();
    await client.expect(200, "DELETE", `/_users/org.couchdb.user:ada?rev=${account._rev}`);
    await writeOne(source, edit("after"));
    await waitFor("its end", async () => (await stateOf(client, "live"))["state"] === "crashing");
    await client.expect(404, "GET", "/adas/after");
  });
});

describe("CVE-2026-107755, couchdb#2794: credentials in replication documents", () => {
  const secret = "s3cret-of-ada";
  const encoded = Buffer.from(`ada:${secret}`).toString("base64");
  const shapes: Readonly<Record<string, Json>> = {
    "user information of a text": { source: `http://ada:${secret}@example.org/db`, target: "adas" },
    "user information of an object": { source: { url: `http://ada:${secret}@example.org/db` }, target: "adas" },
    "auth.basic": {
      source: { url: "http://example.org/db", auth: { basic: { username: "ada", password: secret } } },
      target: "adas",
    },
    Authorization: {
      source: { url: "http://example.org/db", headers: { Authorization: `Basic ${encoded}` } },
      target: "adas",
    },
    "a header of any name": {
      source: { url: "http://example.org/db", headers: { "X-TOKEN": secret } },
      target: "adas",
    },
    "an end in capitals": { source: "adas", target: "adas2", SOURCE: { HEADERS: { AUTHORIZATION: secret } } },
    "somewhere deep": {
      source: {
        url: "http://example.org/db",
        auth: { basic: { username: "ada", password: "x" } },
        more: { deep: [secret] },
      },
      target: "adas",
    },
    "a proxy": { source: "http://example.org/db", target: "adas", proxy: `http://ada:${secret}@proxy.example.org` },
  };
  const reads: readonly (readonly [method: string, path: string, body?: unknown])[] = [
    ["GET", "/{db}/doc"],
    ["GET", "/{db}/doc?revs=true&conflicts=true&meta=true"],
    ["GET", "/{db}/doc?rev={rev}"],
    ["GET", "/{db}/doc?open_revs=all"],
    ["GET", '/{db}/doc?open_revs=["{rev}"]&latest=true'],
    ["GET", "/{db}/_all_docs?include_docs=true"],
    ["POST", "/{db}/_all_docs", { keys: ["doc"], include_docs: true }],
    ["POST", "/{db}/_all_docs/queries", { queries: [{ include_docs: true }] }],
    ["GET", "/{db}/_changes?include_docs=true"],
    ["GET", "/{db}/_changes?include_docs=true&style=all_docs&feed=longpoll"],
    ["POST", "/{db}/_changes?include_docs=true&filter=_doc_ids", { doc_ids: ["doc"] }],
    [
      "POST",
      "/{db}/_changes?include_docs=true&filter=_selector",
      { selector: {}, fields: ["source", "SOURCE", "proxy"] },
    ],
    ["POST", "/{db}/_bulk_get?revs=true", { docs: [{ id: "doc" }] }],
    ["POST", "/{db}/_find", { selector: {} }],
    ["POST", "/{db}/_explain", { selector: {} }],
    ["GET", "/{db}/_design/spy/_view/all?include_docs=true"],
    ["GET", "/{db}/_design/spy/_show/all/doc"],
    ["GET", "/{db}/_changes?filter=spy/all&include_docs=true"],
    ["GET", "/_scheduler/docs"],
    ["GET", "/_scheduler/docs/{db}/doc"],
    ["GET", "/_scheduler/jobs"],
    ["GET", "/_active_tasks"],
  ];

  for (const database of ["_replicator", "team%2F_replicator"]) {
    test(`of ${decodeURIComponent(database)} are read by nobody but their owner and administrators`, async (t) => {
      const { client, gateway } = await world(t);
      await gateway.signUp(ada);
      await gateway.signUp(bob);
      const role = (await client.get("/_users/org.couchdb.user:ada")).json();
      await client.expect(201, "PUT", "/_users/org.couchdb.user:ada", { body: { ...role, roles: ["replicator"] } });
      if (database !== "_replicator") await client.expect(201, "PUT", `/${database}`);
      await client.expect(200, "PUT", `/${database}/_security`, { body: { members: { names: ["ada", "bob"] } } });
      const spy = {
        views: { all: { map: "function (doc) { emit(JSON.stringify(doc), doc); }" } },
        shows: { all: "function (doc) { return JSON.stringify(doc); }" },
        filters: { all: "function () { return true; }" },
      };
      await client.expect(201, "PUT", `/${database}/_design/spy`, { body: spy });
      let rev: string | undefined;
      for (const [shape, ends] of Object.entries(shapes)) {
        const body = { ...ends, ...(rev ? { _rev: rev } : {}) };
        rev = (await client.expect(201, "PUT", `/${database}/doc`, { ...as(ada), body })).json().rev as string;
        const own = (await client.expect(200, "GET", `/${database}/doc`, as(ada))).text;
        assert.ok(own.includes(secret) || own.includes(encoded), `${shape}: the owner reads it`);
        const admins = (await client.expect(200, "GET", `/${database}/doc`)).text;
        assert.ok(admins.includes(secret) || admins.includes(encoded), `${shape}: an administrator reads it`);
        for (const [method, template, question] of reads) {
          const path = template.replace("{db}", database).replace("{rev}", rev);
          for (const reader of [as(bob), { authorization: null }]) {
            const answer = await client.send(method, path, { ...reader, ...(question ? { body: question } : {}) });
            const text = `${answer.text} ${JSON.stringify(answer.headers)}`;
            assert.ok(
              !text.includes(secret) && !text.includes(encoded),
              `${shape}: ${method} ${path} tells it: ${text}`,
            );
          }
          // The old revisions hold the same secrets.
        }
        for (const path of ["/_scheduler/docs", "/_scheduler/jobs", "/_active_tasks"]) {
          const { text } = await client.expect(200, "GET", path);
          assert.ok(!text.includes(secret) && !text.includes(encoded), `${shape}: ${path} shows it`);
        }
      }
      const seen = (await client.expect(200, "GET", `/${database}/doc`, as(bob))).json();
      assert.equal(seen.owner, "ada", "others see that it is there");
    });
  }
});
