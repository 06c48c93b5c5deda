import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type HttpWorld, startHttpWorld } from "../../helpers/http-world.js";
import type { Cleanup } from "../../helpers/temp-store.js";
import { waitFor } from "../../helpers/wait-for.js";

const find = "/notes/_find";
const noIndex = "No matching index found, create an index to optimize query time.";
const manyExamined =
  "The number of documents examined is high in proportion to the number of results returned. " +
  "Consider adding a more specific index to improve this.";

async function startNotes(t: Cleanup, count: number): Promise<HttpWorld> {
  const world = await startHttpWorld(t);
  const { client } = world;
  await client.expect(201, "PUT", "/notes");
  const docs = Array.from({ length: count }, (_, n) => ({
    _id: `n${String(n).padStart(6, "0")}`,
    n,
    even: n % 2 === 0,
  }));
  await client.expect(201, "POST", "/notes/_bulk_docs", { body: { docs } });
  return world;
}

/** Enough documents to look through for some time. */
async function startIndexed(t: Cleanup): Promise<HttpWorld> {
  const world = await startNotes(t, 20_000);
  await world.client.expect(200, "POST", "/notes/_index", { body: { index: { fields: ["n"] } } });
  await world.client.expect(200, "POST", find, { body: { selector: { n: 1 } } });
  return world;
}

describe("_find", () => {
  test("answers in CouchDB's spelling", async (t) => {
    const { client } = await startNotes(t, 2);
    const text = async (body: object): Promise<string> => (await client.expect(200, "POST", find, { body })).text;
    assert.match(
      await text({ selector: { n: { $gte: 0 } }, fields: ["n"] }),
      /^\{"docs":\[\r\n\{"n":0\},\r\n\{"n":1\}\r\n\],\r\n"bookmark": "[\w-]+",\r\n"warning": "No matching index found, .*"\}\r\n$/,
    );
    const nothing = '{"docs":[\r\n]}\r\n';
    assert.equal(await text({ selector: { $or: [] } }), nothing);
    assert.equal(await text({ selector: { _id: { $gt: "b", $lt: "a" } } }), nothing);
    // By bytes there is something between the two, in the order of indexes there is not.
    const between = JSON.parse(await text({ selector: { _id: { $gt: "N", $lt: "n000001" } } }));
    assert.equal(between.docs.length, 1);
  });

  test("warns of what makes it slow", async (t) => {
    const { client } = await startNotes(t, 30);
    await client.expect(200, "POST", "/notes/_index", { body: { index: { fields: ["n"] }, ddoc: "n", name: "n" } });
    const unused = "_design/x was not used because it does not contain a valid index for this query.";
    const table: readonly (readonly [body: object, warning: string | undefined])[] = [
      [{ selector: { n: { $lt: 5 } } }, undefined],
      [{ selector: { n: { $lt: 5 } }, use_index: "x" }, unused],
      [{ selector: { even: true } }, noIndex],
      [{ selector: { even: true }, use_index: "x" }, `${unused}\n${noIndex}`],
      [{ selector: { $and: [{ even: true }, { n: { $gt: 3, $lt: 6 } }] } }, undefined],
      [{ selector: { n: { $gt: 3 }, even: { $in: [7] } } }, manyExamined],
      // An index that has all that is asked for reads no documents.
      [{ selector: { n: { $gt: 3, $mod: [29, 0] } }, fields: ["n"] }, undefined],
      [{ selector: { n: { $gt: 3, $mod: [29, 0] } } }, manyExamined],
    ];
    for (const [body, warning] of table) {
      const answer = (await client.expect(200, "POST", find, { body })).json();
      assert.equal(answer.warning, warning, JSON.stringify(body));
    }
  });

  test("counts copies that CouchDB would ask for elsewhere", async (t) => {
    const { client } = await startNotes(t, 4);
    const stats = async (r: number): Promise<Record<string, unknown>> => {
      const body = { selector: { even: true }, execution_stats: true, r };
      const { execution_time_ms, ...rest } = (await client.expect(200, "POST", find, { body })).json().execution_stats;
      assert.ok(execution_time_ms > 0);
      return rest;
    };
    const counts = { total_keys_examined: 4, results_returned: 2 };
    assert.deepEqual(await stats(1), { ...counts, total_docs_examined: 4, total_quorum_docs_examined: 0 });
    assert.deepEqual(await stats(3), { ...counts, total_docs_examined: 0, total_quorum_docs_examined: 4 });
  });

  test("answers from the index as it is, where it is told to", async (t) => {
    const { client } = await startNotes(t, 2);
    await client.expect(200, "POST", "/notes/_index", { body: { index: { fields: ["n"] } } });
    const found = async (more: object): Promise<number> => {
      const body = { selector: { n: { $gte: 0 } }, ...more };
      return (await client.expect(200, "POST", find, { body })).json().docs.length;
    };
    assert.equal(await found({ update: false }), 0);
    assert.equal(await found({ stale: "ok" }), 0);
    assert.equal(await found({}), 2);
    await client.put("/notes/new", { n: 7 });
    assert.equal(await found({ update: false }), 2);
    assert.equal(await found({ update: true }), 3);
  });

  test("sends a long answer in pieces, whole", async (t) => {
    const { client } = await startNotes(t, 5000);
    const { docs } = (await client.expect(200, "POST", find, { body: { selector: {}, limit: 10_000 } })).json();
    assert.deepEqual(
      docs.map(({ n }: { n: number }) => n),
      Array.from({ length: 5000 }, (_, n) => n),
    );
  });

  test("lets others have their turn while it looks through many documents", async (t) => {
    const { client } = await startIndexed(t);
    let scans = 0;
    const scan = async (): Promise<void> => {
      await client.expect(200, "POST", find, { body: { selector: { n: { $gte: 0 }, none: 1 } } });
      scans += 1;
    };
    const scanning = Promise.all([scan(), scan(), scan()]);
    let answered = 0;
    while (scans < 3) {
      await client.expect(200, "GET", "/notes/n000001");
      answered += 1;
    }
    await scanning;
    assert.ok(answered >= 10, `${answered} others were answered meanwhile`);
  });

  test("ends when its client is gone", async (t) => {
    const { url, adminHeaders, databases } = await startIndexed(t);
    const before = databases.counts.documentReads;
    const reads = (): number => databases.counts.documentReads - before;
    const gone = new AbortController();
    const asked = fetch(`${url}${find}`, {
      method: "POST",
      headers: { ...adminHeaders, "content-type": "application/json" },
      body: JSON.stringify({ selector: { n: { $gte: 0 }, none: 1 } }),
      signal: gone.signal,
    });
    await waitFor("the first documents are read", () => reads() > 0);
    gone.abort();
    await assert.rejects(asked);
    let last = -1;
    await waitFor("no more documents are read", () => {
      const isStill = reads() === last;
      last = reads();
      return isStill;
    });
    assert.ok(last < 20_000, `${last} documents were read`);
  });

  test("belongs to members; partitions to databases that have any", async (t) => {
    const { client } = await startNotes(t, 1);
    await client.expect(201, "PUT", "/parts?partitioned=true");
    await client.put("/parts/p:a", { n: 1 });
    await client.put("/parts/q:a", { n: 1 });
    const ask = (status: number, path: string, body: object) => client.expect(status, "POST", path, { body });
    const selector = { n: 1 };
    const inPart = (await ask(200, "/parts/_partition/p/_find", { selector })).json();
    assert.deepEqual(
      inPart.docs.map(({ _id }: { _id: string }) => _id),
      ["p:a"],
    );
    assert.equal((await ask(200, "/parts/_find", { selector, partition: "q" })).json().docs.length, 1);
    const explained = (await ask(200, "/parts/_partition/p/_explain", { selector, partition: "p" })).json();
    assert.deepEqual([explained.partitioned, explained.opts.partition, explained.mrargs.partition], [true, "p", "p"]);
    assert.equal(
      (await ask(400, "/parts/_partition/p/_find", { selector, partition: "q" })).json().error,
      "bad_request",
    );
    assert.equal((await ask(400, "/notes/_find", { selector, partition: "q" })).json().error, "query_parse_error");
    assert.equal((await ask(400, "/notes/_partition/p/_find", { selector })).json().error, "bad_request");
    await client.expect(401, "POST", find, { body: { selector }, authorization: null });
  });
});
