/** Many at once: what each of them is told fits what is there in the end. */
import assert from "node:assert/strict";
import type { HttpReply } from "../../helpers/http-client.js";
import type { Scenario, Table } from "./table.js";
import type { World } from "./world.js";

const writers = 64;

function times<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

/** Statuses to how often they came, e.g. `{ 201: 1, 409: 63 }`. */
function tally(replies: readonly HttpReply[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { status } of replies) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

const generation = (rev: string): number => Number.parseInt(rev, 10);

/** Every writer writes once, on the revision that it finds, however often it has to try. */
async function writeOnce(world: World, path: string): Promise<number> {
  for (let conflicts = 0; ; conflicts++) {
    const document = (await world.client.expect(200, "GET", path)).json();
    const reply = await world.client.put(path, { ...document, count: document.count + 1 });
    if (reply.status === 201) return conflicts;
    assert.equal(reply.status, 409, reply.text);
  }
}

const raceOfShards = "a cluster may also answer 202 or 500 when the shards of a database come and go at once";

const scenarios: readonly Scenario[] = [
  {
    name: "64 writers of one revision: one wins, in each of ten rounds",
    async run(world) {
      const database = await world.database();
      const path = `/${database}/doc`;
      let rev: string | undefined;
      for (let round = 1; round <= 10; round++) {
        const base = rev === undefined ? {} : { _rev: rev };
        const replies = await Promise.all(
          times(writers, (writer) => world.client.put(path, { ...base, writer, round })),
        );
        assert.deepEqual(tally(replies), { 201: 1, 409: writers - 1 });
        const winner = replies.findIndex(({ status }) => status === 201);
        rev = replies[winner]?.json().rev as string;
        const stored = (await world.client.expect(200, "GET", path)).json();
        assert.deepEqual(stored, { _id: "doc", _rev: rev, writer: winner, round });
        assert.equal(generation(rev), round);
      }
      const all = (await world.client.expect(200, "GET", `${path}?open_revs=all`)).json();
      assert.equal(all.length, 1, "no branches");
    },
  },
  {
    name: "64 writers who try until they are through: no write is lost",
    async run(world) {
      const database = await world.database();
      const path = `/${database}/counter`;
      await world.client.expect(201, "PUT", path, { body: { count: 0 } });
      await Promise.all(times(writers, () => writeOnce(world, path)));
      const { count, _rev } = (await world.client.expect(200, "GET", path)).json();
      assert.equal(count, writers);
      assert.equal(generation(_rev), writers + 1);
    },
  },
  {
    name: "64 writers with 64 documents of one name in one request each",
    async run(world) {
      const database = await world.database();
      const docs = times(20, () => ({ _id: "same" }));
      const replies = await Promise.all(
        times(writers, () => world.client.expect(201, "POST", `/${database}/_bulk_docs`, { body: { docs } })),
      );
      const rows = replies.flatMap((reply) => reply.json() as { readonly ok?: true; readonly error?: string }[]);
      assert.equal(rows.filter(({ ok }) => ok).length, 1);
      assert.equal(rows.filter(({ error }) => error === "conflict").length, writers * docs.length - 1);
    },
  },
  {
    name: "the same revision of another server from 64 at once is one revision and one change",
    async run(world) {
      const database = await world.database();
      const body = { new_edits: false, docs: [{ _id: "doc", _revisions: { start: 2, ids: ["b", "a"] } }] };
      const replies = await Promise.all(times(writers, () => world.client.post(`/${database}/_bulk_docs`, body)));
      for (const reply of replies) assert.deepEqual([reply.status, reply.json()], [201, []]);
      assert.equal(Number.parseInt((await world.info(database)).update_seq, 10), 1);
      assert.equal((await world.client.expect(200, "GET", `/${database}/doc?open_revs=all`)).json().length, 1);
    },
  },
  {
    name: "a deletion and an update of one revision: one of them wins",
    async run(world) {
      const database = await world.database();
      for (let round = 0; round < 20; round++) {
        const path = `/${database}/doc${round}`;
        const { rev } = (await world.client.expect(201, "PUT", path, { body: {} })).json();
        const [deleted, updated] = await Promise.all([
          world.client.send("DELETE", `${path}?rev=${rev}`),
          world.client.put(path, { _rev: rev, updated: true }),
        ]);
        assert.deepEqual([deleted.status, updated.status].toSorted(), deleted.status === 200 ? [200, 409] : [201, 409]);
        assert.equal((await world.client.get(path)).status, deleted.status === 200 ? 404 : 200);
      }
    },
  },
  {
    name: "one database created by 64 at once: one of them made it",
    only: "settee",
    because: raceOfShards,
    async run(world) {
      const name = world.name();
      const replies = await Promise.all(times(writers, () => world.client.put(`/${name}`)));
      assert.deepEqual(tally(replies), { 201: 1, 412: writers - 1 });
      const deleted = await Promise.all(times(writers, () => world.client.send("DELETE", `/${name}`)));
      assert.deepEqual(tally(deleted), { 200: 1, 404: writers - 1 });
    },
  },
  {
    name: "one database created and deleted by 64 at once: what they were told fits what is there",
    only: "settee",
    because: raceOfShards,
    async run(world) {
      const name = world.name();
      for (let round = 0; round < 5; round++) {
        const replies = await Promise.all(
          times(writers, (index) => world.client.send(index % 2 === 0 ? "PUT" : "DELETE", `/${name}`)),
        );
        const counts = tally(replies);
        const { 201: created = 0, 200: deleted = 0, 404: missing = 0, 412: there = 0 } = counts;
        assert.equal(created + deleted + missing + there, writers, JSON.stringify(counts));
        const isThere = created - deleted === 1;
        assert.ok(isThere || created === deleted, JSON.stringify(counts));
        assert.equal((await world.client.get(`/${name}`)).status, isThere ? 200 : 404);
        if (isThere) assert.equal((await world.info(name)).doc_count, 0);
        await world.client.send("DELETE", `/${name}`);
      }
    },
  },
  {
    name: "writes into a database that is being deleted: all or nothing of each, and nothing afterwards",
    only: "settee",
    because: raceOfShards,
    async run(world) {
      const name = world.name();
      for (let round = 0; round < 5; round++) {
        await world.client.expect(201, "PUT", `/${name}`);
        const writes = times(100, (index) => world.client.put(`/${name}/${round}-${index}`, {}));
        const deletion = world.client.send("DELETE", `/${name}`);
        const more = times(100, (index) => world.client.put(`/${name}/${round}-more-${index}`, {}));
        const counts = tally(await Promise.all([...writes, ...more]));
        const { 201: written = 0, 404: refused = 0 } = counts;
        assert.equal(written + refused, 200, JSON.stringify(counts));
        assert.equal((await deletion).status, 200);
        assert.equal((await world.client.get(`/${name}`)).status, 404);
        await world.client.expect(201, "PUT", `/${name}`);
        assert.equal((await world.info(name)).doc_count, 0, "nothing of the former database");
        assert.deepEqual((await world.client.expect(200, "GET", `/${name}/_changes`)).json().results, []);
        await world.client.expect(200, "DELETE", `/${name}`);
      }
    },
  },
  {
    name: "writes to 200 databases at once",
    async run(world) {
      const names = await Promise.all(times(200, () => world.database()));
      const docs = times(5, (index) => ({ _id: `d${index}` }));
      await Promise.all(names.map((name) => world.write(name, docs)));
      await Promise.all(
        names.flatMap((name) =>
          times(3, (index) => world.client.expect(201, "PUT", `/${name}/p${index}`, { body: { name } })),
        ),
      );
      for (const name of names) {
        assert.equal((await world.info(name)).doc_count, 8);
        assert.equal((await world.client.expect(200, "GET", `/${name}/p0`)).json().name, name);
      }
      const deleted = await Promise.all(names.map((name) => world.client.send("DELETE", `/${name}`)));
      assert.deepEqual(tally(deleted), { 200: 200 });
    },
  },
];

export const concurrency: Table = { family: "concurrency", scenarios };
