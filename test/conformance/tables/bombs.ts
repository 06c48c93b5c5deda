/** Small requests that ask for a lot: of memory, of time, of sockets. */
import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import type { HttpReply } from "../../helpers/http-client.js";
import { within } from "../../helpers/wait-for.js";
import { withFlatMemory } from "./flat-memory.js";
import { RawConnection } from "./raw-connection.js";
import { clearer, eachRefused, onlySettee, refused } from "./rows.js";
import type { Row, Scenario, Table } from "./table.js";
import type { World } from "./world.js";

const megabyte = 2 ** 20;
const hash = (index: number): string => index.toString(16).padStart(32, "0");
const nested = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);

/** CVE-2014-2668: no number of a request decides how much memory it takes. */
const counts: readonly Row[] = [
  ...eachRefused("bad_request", {
    "CVE-2014-2668: a billion uuids": "GET /_uuids?count=1000000000",
    "CVE-2014-2668: a few uuids too many": "GET /_uuids?count=1001",
  }),
  ...[
    "GET /{{db}}/_all_docs?limit=576460752303423487",
    "GET /{{db}}/_all_docs?skip=576460752303423487",
    "GET /_all_dbs?limit=576460752303423487",
    "GET /_all_dbs?skip=999999999999",
    "GET /{{db}}/_changes?limit=999999999999999",
    "GET /{{db}}/_changes?seq_interval=999999999999999",
    "GET /{{db}}/_changes?feed=longpoll&timeout=999999",
  ].map((ask): Row => ({ name: `CVE-2014-2668: ${ask}`, ask, status: 200 })),
  ...onlySettee(clearer, [
    ...["heartbeat=999999999999999", "timeout=999999999999999"].map(
      (query): Row => ({
        name: `CVE-2014-2668: ${query}`,
        ask: `GET /{{db}}/_changes?feed=continuous&limit=1&${query}`,
        status: 200,
      }),
    ),
  ]),
  ...onlySettee("what becomes more than text here is bounded, and told before a byte of it was read", [
    {
      name: "CVE-2014-2668: a query of a declared gigabyte",
      raw: "POST /{{db}}/_all_docs HTTP/1.1\r\nHost: {{host}}\r\nAuthorization: {{authorization}}\r\nContent-Type: application/json\r\nContent-Length: 1073741824\r\n\r\n{",
      status: 413,
      error: "too_large",
      hangsUp: true,
    },
  ]),
  ...onlySettee("a revision has a bounded length and number here, so that a tree cannot be bloated", [
    refused("bad_request", "revision bomb: an id of a megabyte", "POST /{{db}}/_bulk_docs", {
      text: '{"new_edits":false,"docs":[{"_id":"bomb","_revisions":{"start":1,"ids":["{{a*1000000}}"]}}]}',
    }),
    refused("doc_validation", "revision bomb: a generation beyond all numbers", "POST /{{db}}/_bulk_docs", {
      text: '{"new_edits":false,"docs":[{"_id":"bomb","_revisions":{"start":1e300,"ids":["a"]}}]}',
    }),
    refused("bad_request", "revision bomb: a _rev beyond all numbers", "POST /{{db}}/_bulk_docs", {
      text: '{"new_edits":false,"docs":[{"_id":"bomb","_rev":"99999999999999999999-a"}]}',
    }),
  ]),
];

/** Rejects when an answer takes longer than a person would wait. */
async function soon(what: string, asked: Promise<HttpReply>): Promise<HttpReply> {
  return await within(what, asked, 3000);
}

async function push(world: World, database: string, docs: readonly object[]): Promise<void> {
  const reply = await world.client.expect(201, "POST", `/${database}/_bulk_docs`, { body: { new_edits: false, docs } });
  assert.deepEqual(reply.json(), []);
}

/** Everywhere that JSON comes in: what to ask, and a body around the value. */
const doors: readonly (readonly [ask: string, body: (value: string) => string])[] = [
  ["PUT /{{db}}/deep", (value) => `{"n":${value}}`],
  ["PUT /{{db}}/_local/deep", (value) => `{"n":${value}}`],
  ["PUT /{{db}}/_security", (value) => `{"n":${value}}`],
  ["PUT /{{db}}/_revs_limit", (value) => value],
  ["PUT /{{db}}/special", (value) => `{"_attachments":{"f":${value}}}`],
  ["PUT /{{db}}/unknown", (value) => `{"_unknown":${value}}`],
  ["POST /{{db}}", (value) => `{"_id":${value}}`],
  ["POST /{{db}}/_bulk_docs", (value) => `{"docs":[{"_id":"bulk","n":${value}}],"n":${value}}`],
  ["POST /{{db}}/_bulk_docs", (value) => `{"docs":${value}}`],
  ["POST /{{db}}/_bulk_get", (value) => `{"docs":[{"id":"deep","rev":${value}}]}`],
  ["POST /{{db}}/_bulk_get", (value) => `{"docs":[{"id":"deep","atts_since":${value}}]}`],
  ["POST /{{db}}/_bulk_get", (value) => `{"docs":[${value}]}`],
  ["POST /{{db}}/_revs_diff", (value) => `{"deep":${value}}`],
  ["POST /{{db}}/_all_docs", (value) => `{"keys":[${value}]}`],
  ["POST /{{db}}/_all_docs", (value) => `{"startkey":${value}}`],
  ["POST /{{db}}/_all_docs", (value) => `{"limit":${value}}`],
  ["POST /{{db}}/_all_docs/queries", (value) => `{"queries":[{"skip":${value}}]}`],
  ["POST /{{db}}/_changes?filter=_doc_ids", (value) => `{"doc_ids":${value}}`],
  ["POST /_dbs_info", (value) => `{"keys":[${value}]}`],
  ["POST /_session", (value) => `{"name":${value},"password":"x"}`],
  ["PUT /_users/org.couchdb.user:deep", (value) => `{"name":"deep","type":"user","roles":${value},"password":"x"}`],
];

const scenarios: readonly Scenario[] = [
  {
    name: "revision bomb: a history that begins at a billion",
    async run(world) {
      const database = await world.database();
      await push(world, database, [{ _id: "doc", _revisions: { start: 1e9, ids: ["b", "a"] } }]);
      const got = await soon(
        "the document",
        world.client.expect(200, "GET", `/${database}/doc?revs=true&revs_info=true`),
      );
      assert.deepEqual(got.json()._revisions, { start: 1e9, ids: ["b", "a"] });
      const { rev } = (
        await world.client.expect(201, "PUT", `/${database}/doc`, { body: { _rev: "1000000000-b" } })
      ).json();
      assert.match(rev, /^1000000001-/);
    },
  },
  {
    name: "revision bomb: a history of a million",
    async run(world) {
      const database = await world.database();
      const ids = Array.from({ length: 1_000_000 }, (_, index) => hash(index));
      const body = Buffer.from(
        JSON.stringify({ new_edits: false, docs: [{ _id: "doc", _revisions: { start: ids.length, ids } }] }),
      );
      const pushed = await within("the answer", world.client.post(`/${database}/_bulk_docs`, body), 15_000);
      // Refused, or cut to what a database keeps of a history.
      if (pushed.status === 201) {
        const got = await soon("the document", world.client.expect(200, "GET", `/${database}/doc?revs=true`));
        assert.equal(got.json()._revisions.ids.length, 1000);
      } else {
        assert.equal(pushed.status, 400);
      }
    },
  },
  {
    name: "revision bomb: 2,000 conflicting leaves",
    async run(world) {
      const database = await world.database();
      const leaves = Array.from({ length: 2000 }, (_, index) => ({
        _id: "doc",
        _revisions: { start: 2, ids: [hash(index), "a"] },
      }));
      for (let from = 0; from < leaves.length; from += 1000)
        await push(world, database, leaves.slice(from, from + 1000));
      const path = `/${database}/doc`;
      const winner = (await soon("the winner", world.client.expect(200, "GET", path))).json()._rev;
      assert.equal(winner, `2-${hash(leaves.length - 1)}`);
      const { _conflicts } = (
        await soon("its conflicts", world.client.expect(200, "GET", `${path}?conflicts=true`))
      ).json();
      assert.equal(_conflicts.length, leaves.length - 1);
      const all = await soon("all leaves", world.client.expect(200, "GET", `${path}?open_revs=all`));
      assert.equal(all.json().length, leaves.length);
      const feed = await soon("the feed", world.client.expect(200, "GET", `/${database}/_changes?style=all_docs`));
      assert.equal(feed.json().results[0].changes.length, leaves.length);
      const missing = world.client.expect(200, "POST", `/${database}/_revs_diff`, {
        body: { doc: [`2-${hash(5)}`, "3-x"] },
      });
      assert.deepEqual((await soon("what is missing", missing)).json().doc.missing, ["3-x"]);
      const edit = world.client.expect(201, "PUT", path, { body: { _rev: winner } });
      assert.match((await soon("an edit", edit)).json().rev, /^3-/);
    },
  },
  {
    name: "revision bomb: JSON nested 10,000 deep comes back",
    async run(world) {
      const database = await world.database();
      const text = nested(10_000);
      const { rev } = (
        await soon("the write", world.client.expect(201, "PUT", `/${database}/deep`, { body: `{"n":${text}}` }))
      ).json();
      const got = await soon("the read", world.client.expect(200, "GET", `/${database}/deep`));
      assert.equal(got.text.trim(), `{"_id":"deep","_rev":"${rev}","n":${text}}`);
      const listed = await soon(
        "the listing",
        world.client.expect(200, "GET", `/${database}/_all_docs?include_docs=true`),
      );
      assert.ok(listed.text.includes(text));
    },
  },
  {
    name: "revision bomb: JSON nested 100,000 deep is taken or refused at every door, and the server goes on",
    only: "settee",
    because: "CouchDB's processes grow by what they parse, and some of its doors answer 500",
    async run(world) {
      const database = await world.database();
      for (const depth of [10_000, 100_000]) {
        for (const [ask, bodyOf] of doors) {
          const [method = "", path = ""] = ask.replace("{{db}}", database).split(" ");
          const body = bodyOf(nested(depth));
          const reply = await soon(ask, world.client.send(method, path, { body }));
          assert.ok(reply.status < 500, `${ask} ${body.slice(0, 40)}: ${reply.status} ${reply.text.slice(0, 200)}`);
          reply.json();
        }
      }
      await world.client.expect(200, "GET", "/_up");
    },
  },
  {
    name: "revision bomb: deep JSON before a validation function",
    only: "settee",
    because: "CouchDB's query server may be killed by it, and then answers 500",
    async run(world) {
      const database = await world.database();
      const validate_doc_update = 'function (doc) { if (doc.bad) throw { forbidden: "bad" }; }';
      await world.client.expect(201, "PUT", `/${database}/_design/d`, { body: { validate_doc_update } });
      const deep = await within(
        "the answer",
        world.client.put(`/${database}/deep`, `{"n":${nested(100_000)}}`),
        10_000,
      );
      // Its function may run out of stack and fail, as any that throws what is no refusal.
      assert.ok([201, 400, 403, 500].includes(deep.status), `${deep.status} ${deep.text.slice(0, 200)}`);
      assert.equal((await world.client.get(`/${database}/deep`)).status, deep.status === 201 ? 200 : 404);
      assert.equal((await soon("the next one", world.client.put(`/${database}/good`, {}))).status, 201);
      assert.equal((await soon("a bad one", world.client.put(`/${database}/bad`, { bad: true }))).status, 403);
    },
  },
  {
    name: "gzip bomb: 256 MB in 256 KB are refused before they are there",
    only: "settee",
    because: "CouchDB unpacks all of it first",
    async run(world) {
      const database = await world.database();
      const bomb = gzipSync(Buffer.alloc(256 * megabyte, " "));
      assert.ok(bomb.length < megabyte / 2);
      await withFlatMemory(world, 120 * megabyte, async () => {
        for (const path of [`/${database}/_bulk_docs`, `/${database}/_all_docs`, "/_session", `/${database}`]) {
          const reply = await world.client.post(path, bomb, { headers: { "content-encoding": "gzip" } });
          assert.equal(reply.status, 413, `${path}: ${reply.text}`);
        }
      });
    },
  },
  {
    name: "CVE-2014-2668: 200,000 keys are answered as they are read",
    async run(world) {
      const database = await world.database();
      await world.write(database, [{ _id: "a" }]);
      const keys = new Array<string>(200_000).fill("a");
      await withFlatMemory(world, 250 * megabyte, async () => {
        const reply = await world.client.expect(200, "POST", `/${database}/_all_docs`, { body: { keys } });
        assert.equal(reply.json().rows.length, keys.length);
      });
    },
  },
  {
    name: "slow-loris: heads and bodies that never end hold sockets and nothing else",
    async run(world) {
      const database = await world.database();
      const { host } = new URL(world.url);
      const head = `PUT /${database}/doc HTTP/1.1\r\nHost: ${host}\r\nAuthorization: ${world.adminHeaders.authorization}\r\n`;
      const beginnings = ["G", "GET / HTTP/1.1\r\nX-A: ", head, `${head}Content-Length: 1000\r\n\r\n{"n":`];
      await withFlatMemory(world, 100 * megabyte, async () => {
        const connections = await Promise.all(Array.from({ length: 400 }, () => RawConnection.open(world.url)));
        for (const [index, connection] of connections.entries()) connection.send(beginnings[index % 4] as string);
        for (let index = 0; index < 50; index++) {
          await soon("a read", world.client.expect(200, "GET", `/${database}`));
          await soon("a write", world.client.expect(201, "PUT", `/${database}/d${index}`, { body: {} }));
        }
        assert.equal(connections.filter(({ ended }) => ended).length, 0);
        for (const connection of connections) connection.close();
      });
      assert.equal((await world.client.get(`/${database}/doc`)).status, 404);
    },
  },
];

export const bombs: Table = { family: "bombs", rows: counts, scenarios };
