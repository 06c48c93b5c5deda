/** Replication by this server with another Settee, with a PouchDB Server, and as nano asks for it. */
import { deepEqual, equal } from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";
import nano from "nano";
import { expressPouchDbCommand } from "../bench/peers/express-pouchdb.js";
import { HttpClient } from "../helpers/http-client.js";
import { leavesOverHttp } from "../helpers/leaves-over-http.js";
import { newDevice, remoteDatabase } from "../helpers/pouchdb-device.js";
import { ServerProcess } from "../helpers/server-process.js";
import {
  adminAuthorization,
  adminName,
  adminPassword,
  type SetteeProcess,
  startSettee,
} from "../helpers/settee-process.js";
import { waitFor } from "../helpers/wait-for.js";

const settings = { SETTEE_REPLICATOR_ALLOWED_ADDRESSES: "127.0.0.0/8", SETTEE_REPLICATOR_INTERVAL: "200" };

let settee: SetteeProcess;
let other: SetteeProcess;
let express: ServerProcess;
let client: HttpClient;
before(async () => {
  [settee, other, express] = await Promise.all([
    startSettee({ settings }),
    startSettee({ settings }),
    ServerProcess.start(expressPouchDbCommand("memory")),
  ]);
  client = new HttpClient(settee.url, adminAuthorization);
});
after(async () => {
  client?.close();
  await Promise.all([settee?.close(), other?.close(), express?.close()]);
});

let made = 0;
const newName = (): string => `db-${++made}`;

/** Conflicts, tombstones, numbers that JavaScript would spell otherwise, strange ids, attachments small and large. */
async function fill(on: HttpClient, database: string, exactNumbers: boolean): Promise<void> {
  await on.expect(201, "PUT", `/${database}`);
  const plain = Array.from({ length: 120 }, (_, n) => ({ _id: `plain-${n}`, n, text: "x".repeat(n * 10) }));
  await on.expect(201, "POST", `/${database}/_bulk_docs`, { body: { docs: plain } });
  const revision = (id: string, ids: readonly string[], more: object) => ({
    _id: id,
    _rev: `${ids.length}-${ids[0]}`,
    _revisions: { start: ids.length, ids },
    ...more,
  });
  const hash = (letter: string): string => letter.repeat(32);
  const docs = [
    revision("conflict", [hash("b"), hash("a")], { side: "b" }),
    revision("conflict", [hash("c"), hash("a")], { side: "c" }),
    revision("conflict", [hash("d"), hash("c"), hash("a")], { _deleted: true }),
    revision("gone", [hash("b"), hash("a")], { _deleted: true, why: "kept with the tombstone" }),
    revision("ünï/co+de?&#% ", [hash("1")], { title: "日本" }),
  ];
  await on.expect(201, "POST", `/${database}/_bulk_docs`, { body: { docs, new_edits: false } });
  await on.expect(201, "PUT", `/${database}/_design/d`, {
    body: { views: { v: { map: "function (d) { emit(d._id); }" } } },
  });
  const image = randomBytes(300_000).toString("base64");
  const text = Buffer.from("compresses well ".repeat(4000)).toString("base64");
  const attached = {
    "a.png": { content_type: "image/png", data: image },
    "ü b.txt": { content_type: "text/plain", data: text },
    empty: { content_type: "application/octet-stream", data: "" },
  };
  await on.expect(201, "PUT", `/${database}/attached`, { body: { n: 1, _attachments: attached } });
  const { _rev } = (await on.get(`/${database}/attached`)).json();
  const stubs = { "a.png": { stub: true, content_type: "image/png" }, more: { content_type: "a/b", data: "bW9yZQ==" } };
  await on.expect(201, "PUT", `/${database}/attached`, { body: { n: 2, _rev, _attachments: stubs } });
  if (exactNumbers) {
    const numbers = '{"big":123456789012345678901234567890,"float":1.0,"tiny":1e-7}';
    await on.expect(201, "PUT", `/${database}/numbers`, { body: numbers });
  }
}

const auth = { basic: { username: adminName, password: adminPassword } };

async function replicate(source: unknown, target: unknown, more: object = {}) {
  const body = { source, target, create_target: true, ...more };
  const answer = (await client.expect(200, "POST", "/_replicate", { body })).json();
  equal(answer.ok, true);
  return answer;
}

describe("another Settee", () => {
  test("is pushed to, pulled from, and replicated to itself through a third", async () => {
    const [name, there, back, copy] = [newName(), newName(), newName(), newName()];
    const others = new HttpClient(other.url, adminAuthorization);
    await fill(client, name, true);
    const remote = (database: string) => ({ url: `${other.url}/${database}`, auth });
    await replicate(name, remote(there));
    await replicate(remote(there), back);
    await replicate(remote(there), remote(copy));
    const expected = await leavesOverHttp(client, name);
    deepEqual(await leavesOverHttp(others, there), expected);
    deepEqual(await leavesOverHttp(client, back), expected);
    deepEqual(await leavesOverHttp(others, copy), expected);
    for (const [on, database] of [
      [client, back],
      [others, copy],
    ] as const) {
      const { text } = await on.get(`/${database}/numbers`);
      equal(text.includes('"big":123456789012345678901234567890,"float":1.0'), true, text);
    }
    // An edit with the attachments of before: only what is new travels, and all is there.
    const { _rev, _attachments } = (await client.get(`/${name}/attached`)).json();
    await client.expect(201, "PUT", `/${name}/attached`, { body: { n: 3, _rev, _attachments } });
    await replicate(name, remote(there));
    await replicate(remote(there), back);
    deepEqual(await leavesOverHttp(others, there), await leavesOverHttp(client, name));
    deepEqual(await leavesOverHttp(client, back), await leavesOverHttp(client, name));
    equal((await replicate(remote(there), back)).no_changes, true);
    others.close();
  });

  test("is followed without end, over its restart", async () => {
    const [name, there] = [newName(), newName()];
    const others = new HttpClient(other.url, adminAuthorization);
    await others.expect(201, "PUT", `/${there}`);
    const remote = `${other.adminUrl}/${there}`;
    const body = { source: remote, target: name, create_target: true, continuous: true };
    await client.expect(201, "PUT", "/_replicator/follow", { body });
    for (const round of [1, 2]) {
      await others.expect(201, "PUT", `/${there}/note-${round}`, { body: {} });
      await waitFor(`note ${round}`, async () => (await client.get(`/${name}/note-${round}`)).status === 200, {
        timeout: 20_000,
      });
      if (round === 1) await other.restart();
    }
    others.close();
  });
});

describe("a PouchDB Server", () => {
  test("is pushed to and pulled from: conflicts, tombstones and attachments come back as they went", async () => {
    const [name, back] = [newName(), newName()];
    const there = newName();
    const others = new HttpClient(express.url);
    await fill(client, name, false);
    await replicate(name, `${express.url}/${there}`);
    await replicate(`${express.url}/${there}`, back);
    const expected = await leavesOverHttp(client, name);
    deepEqual(await leavesOverHttp(client, back), expected);
    await replicate(`${express.url}/${there}`, newName(), { use_bulk_get: false });
    equal((await others.get(`/${there}`)).json().doc_count, (await client.get(`/${name}`)).json().doc_count);
    equal((await replicate(name, `${express.url}/${there}`)).no_changes, true);
    others.close();
  });

  test("goes on from a PouchDB that replicates both ways as well", async () => {
    const [name, there] = [newName(), newName()];
    const device = newDevice();
    for (let n = 0; n < 30; n++) await device.put({ _id: `note-${n}`, n });
    await client.expect(201, "PUT", `/${name}`);
    await device.replicate.to(remoteDatabase(`${settee.url}/${name}`, adminName, adminPassword));
    await replicate(name, `${express.url}/${there}`);
    const remote = remoteDatabase(`${express.url}/${there}`, adminName, adminPassword);
    const doc = await remote.get("note-7");
    await remote.put({ ...doc, edited: "there" });
    await replicate(`${express.url}/${there}`, name);
    await device.replicate.from(remoteDatabase(`${settee.url}/${name}`, adminName, adminPassword));
    equal((await device.get("note-7")).edited, "there");
    equal((await device.allDocs()).rows.length, 30);
  });
});

/** As nano has it: its types are of another version. */
interface NanoReplication {
  enable(source: string, target: string, options: object): Promise<{ readonly id: string; readonly rev: string }>;
  query(id: string): Promise<{ readonly continuous: boolean }>;
  disable(id: string, rev: string): Promise<unknown>;
}

describe("nano", () => {
  test("replicates once, without end, and looks at it", async () => {
    const server = nano(settee.adminUrl);
    const [name, target, live] = [newName(), newName(), newName()];
    await server.db.create(name);
    await server.use(name).insert({ n: 1 } as nano.MaybeDocument, "first");
    const answer = await server.db.replicate(name, target, { create_target: true } as nano.DatabaseReplicateOptions);
    equal(answer.ok, true);
    equal((await server.use(target).get("first"))._id, "first");

    const replication = server.db.replication as unknown as NanoReplication;
    const options = { create_target: true, continuous: true };
    const enabled = await replication.enable(`${settee.adminUrl}/${name}`, `${settee.adminUrl}/${live}`, options);
    await waitFor("the first document", () => server.use(live).get("first"));
    equal((await replication.query(enabled.id)).continuous, true);
    await replication.disable(enabled.id, enabled.rev);
    const path = `/_scheduler/docs/_replicator/${enabled.id}`;
    await waitFor("its end", async () => (await client.get(path)).status === 404);
  });
});
