import { deepEqual, equal, match } from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type HttpWorld, startHttpWorld } from "../../helpers/http-world.js";

const releases: (() => void | Promise<void>)[] = [];
let world: HttpWorld;
before(async () => {
  world = await startHttpWorld({ after: (release) => releases.push(release) });
  await world.client.expect(201, "PUT", "/db");
});
after(async () => {
  for (const release of releases) await release();
});

async function revisions(id: string, count: number): Promise<readonly string[]> {
  const revs: string[] = [];
  for (let n = 0; n < count; n++) {
    const _rev = revs.at(-1);
    revs.push((await world.client.put(`/db/${id}`, { n, ...(_rev ? { _rev } : {}) })).json().rev);
  }
  return revs;
}

describe("a document", () => {
  test("that the client has already is not sent again, in so many words", async () => {
    const { rev } = (await world.client.put("/db/known", {})).json();
    for (const known of [`"${rev}"`, `W/"${rev}"`]) {
      const reply = await world.client.get("/db/known", { headers: { "if-none-match": known } });
      deepEqual([reply.status, reply.headers["content-length"], reply.text], [304, "0", ""]);
    }
  });

  test("has the revisions that CouchDB would give it", async () => {
    equal((await world.client.put("/db/empty", {})).json().rev, "1-967a00dff5e02add41819138abb3284d");
    const val = async (val: string, rev?: string) =>
      (await world.client.put(`/db/val${rev ? `?rev=${rev}` : ""}`, { val })).json().rev;
    const r0 = await val("r0");
    equal(r0, "1-47f3268e7546965196b57572099f4372");
    equal(await val("r1", r0), "2-1d8171ab3a91475cfece749291e6f897");
  });

  test("tells no more of its history than the limit says, before a compaction and after it", async () => {
    const revs = await revisions("stemmed", 6);
    const ids = revs.map((rev) => rev.slice(2)).reverse();
    const history = async () => (await world.client.get("/db/stemmed?revs=true")).json()._revisions;
    deepEqual(await history(), { start: 6, ids });
    await world.client.expect(200, "PUT", "/db/_revs_limit", { body: "3" });
    deepEqual(await history(), { start: 6, ids: ids.slice(0, 3) });
    await (await world.databases.open("db" as never)).compact();
    await world.client.expect(200, "PUT", "/db/_revs_limit", { body: "1000" });
    deepEqual(await history(), { start: 6, ids: ids.slice(0, 3) });
  });

  test("keeps what a replicator notes in it, in its place", async () => {
    const body = '{"a":1,"_replication_state":"triggered","_replication_stats":{"n":1},"b":2}';
    equal((await world.client.put("/db/noted", body)).status, 201);
    match(
      (await world.client.get("/db/noted")).text,
      /,"a":1,"_replication_state":"triggered","_replication_stats":\{"n":1\},"b":2\}/,
    );
  });

  test("of several revisions comes with all attachments, whatever `atts_since` says", async () => {
    const first = (await world.client.put("/db/atts/one", "1")).json().rev;
    const { rev } = (await world.client.put(`/db/atts/two?rev=${first}`, "2")).json();
    const query = `open_revs=["${rev}"]&atts_since=["${first}"]&attachments=true`;
    const reply = await world.client.get(`/db/atts?${query}`);
    const [{ ok }] = reply.json();
    deepEqual(
      Object.values<{ data?: string }>(ok._attachments).map(({ data }) => data !== undefined),
      [true, true],
    );
    const single = (await world.client.get(`/db/atts?atts_since=["${first}"]`)).json();
    deepEqual([single._attachments.one.stub, single._attachments.two.stub], [true, undefined]);
  });

  test("has a plus sign in its id when the server says so", async () => {
    const put = async () => (await world.client.put("/db/one+one", {})).json().id;
    equal(await put(), "one one");
    await world.client.expect(200, "PUT", "/_node/_local/_config/chttpd/decode_plus_to_space", { body: '"false"' });
    equal(await put(), "one+one");
  });

  test("is located where a proxy says that this server is", async () => {
    const headers = { "x-forwarded-host": "sync.example", "x-forwarded-proto": "https" };
    const reply = await world.client.put("/db/located", {}, { headers });
    equal(reply.headers.location, "https://sync.example/db/located");
  });
});

describe("a local document", () => {
  test("is written back with the history that it was read with", async () => {
    await world.client.expect(201, "PUT", "/db/_local/a", { body: { n: 1 } });
    const read = (await world.client.get("/db/_local/a?revs=true")).json();
    deepEqual(read._revisions, { start: 0, ids: ["1"] });
    equal((await world.client.put("/db/_local/a", read)).status, 201);
    equal((await world.client.get("/db/_local/a")).json()._revisions, undefined);
    const docs = [{ _id: "_local/b", _revisions: { start: 0, ids: ["1"] } }];
    equal((await world.client.post("/db/_bulk_docs", { docs })).status, 201);
  });
});
