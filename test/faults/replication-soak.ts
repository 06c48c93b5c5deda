/** Kills either end of two replications, one that pushes and one that pulls, while they have much to do; in the end nothing is missing. */
import { deepEqual, equal } from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { HttpClient } from "../helpers/http-client.js";
import { leavesOverHttp } from "../helpers/leaves-over-http.js";
import {
  adminAuthorization,
  adminName,
  adminPassword,
  type SetteeProcess,
  startSettee,
} from "../helpers/settee-process.js";
import { waitFor } from "../helpers/wait-for.js";
import { Random } from "./random.js";

export interface ReplicationSoakOptions {
  readonly kills: number;
  readonly seed: number;
  readonly log?: (line: string) => void;
}

export interface ReplicationSoakReport {
  readonly documents: number;
  /** Kills that came before all that was written had arrived. */
  readonly killsUnderWay: number;
}

const settings = {
  SETTEE_REPLICATOR_ALLOWED_ADDRESSES: "127.0.0.0/8",
  SETTEE_REPLICATOR_INTERVAL: "200",
  SETTEE_REPLICATOR_STARTUP_JITTER: "0",
};
const batch = 400;
const patience = { timeout: 60_000, interval: 2 };

/** @throws AssertionError when an end lacks a leaf, or has one that the source has not */
export async function replicationSoak({ kills, seed, log }: ReplicationSoakOptions): Promise<ReplicationSoakReport> {
  const random = new Random(seed);
  const source = await startSettee({ settings });
  const target = await startSettee({ settings });
  try {
    const here = new HttpClient(source.url, adminAuthorization);
    const there = new HttpClient(target.url, adminAuthorization);
    for (const name of ["source"]) await here.expect(201, "PUT", `/${name}`);
    for (const name of ["pushed", "pulled"]) await there.expect(201, "PUT", `/${name}`);
    const auth = { basic: { username: adminName, password: adminPassword } };
    const common = { continuous: true, checkpoint_interval: 50, retries_per_request: 2, connection_timeout: 5000 };
    const remote = (server: SetteeProcess, database: string) => ({ url: `${server.url}/${database}`, auth });
    await here.expect(201, "PUT", "/_replicator/push", {
      body: { ...common, source: "source", target: remote(target, "pushed") },
    });
    await there.expect(201, "PUT", "/_replicator/pull", {
      body: { ...common, source: remote(source, "source"), target: "pulled" },
    });

    let killsUnderWay = 0;
    for (let kill = 1; kill <= kills; kill++) {
      await write(here, kill, random);
      const { doc_count: all } = (await here.get("/source")).json();
      const wanted = all - random.below(batch);
      // In the middle of the work, as far as chance and the machine allow.
      const counts = await waitFor(
        `${wanted} documents to arrive`,
        async () => {
          const [pushed, pulled] = await Promise.all(["pushed", "pulled"].map((name) => countOf(there, name)));
          return (pushed as number) >= wanted || (pulled as number) >= wanted ? [pushed, pulled] : undefined;
        },
        patience,
      );
      if (counts.some((count) => (count as number) < all)) killsUnderWay++;
      const victim = random.below(2) === 0 ? source : target;
      await victim.kill();
      await victim.restart();
      log?.(
        `kill ${kill} of the ${victim === source ? "source" : "target"}: ${counts.join(" and ")} of ${all} had arrived`,
      );
    }
    const { doc_count: all } = (await here.get("/source")).json();
    const expected = await leavesOverHttp(here, "source");
    for (const name of ["pushed", "pulled"]) {
      await waitFor(`all documents of ${name}`, async () => (await countOf(there, name)) === all, patience);
      await waitFor(`all revisions of ${name}`, async () => hasAll(here, there, name), patience);
      deepEqual(await leavesOverHttp(there, name), expected, name);
    }
    equal(Object.keys(expected).length >= kills * batch, true, "there was something to lose");
    here.close();
    there.close();
    return { documents: Object.keys(expected).length, killsUnderWay };
  } finally {
    await source.close();
    await target.close();
  }
}

/** New documents, edits and conflicts of old ones, and some with attachments. */
async function write(client: HttpClient, round: number, random: Random): Promise<void> {
  const docs: object[] = Array.from({ length: batch }, (_, n) => ({
    _id: `doc-${round}-${n}`,
    n,
    text: "x".repeat(200),
  }));
  for (let n = 0; n < 5 && round > 1; n++) {
    const hash = randomBytes(16).toString("hex");
    docs.push({ _id: `doc-${round - 1}-${random.below(batch)}`, _rev: `2-${hash}`, conflict: n });
  }
  const stamped = docs.map((doc) => ({ _rev: `1-${"a".repeat(32)}`, ...doc }));
  await client.expect(201, "POST", "/source/_bulk_docs", { body: { docs: stamped, new_edits: false } });
  for (let n = 0; n < 3; n++) {
    const data = randomBytes(50_000).toString("base64");
    const body = { _attachments: { file: { content_type: "application/octet-stream", data } } };
    await client.expect(201, "PUT", `/source/attached-${round}-${n}`, { body });
  }
}

async function countOf(client: HttpClient, database: string): Promise<number> {
  return (await client.get(`/${database}`)).json().doc_count as number;
}

/** Asks the target itself what it lacks of the source's leaves. */
async function hasAll(here: HttpClient, there: HttpClient, name: string): Promise<boolean> {
  const { results } = (await here.get("/source/_changes?style=all_docs")).json() as {
    results: readonly { id: string; changes: readonly { rev: string }[] }[];
  };
  const leaves = Object.fromEntries(results.map(({ id, changes }) => [id, changes.map(({ rev }) => rev)]));
  const lacking = (await there.expect(200, "POST", `/${name}/_revs_diff`, { body: leaves })).json();
  return Object.keys(lacking).length === 0;
}
