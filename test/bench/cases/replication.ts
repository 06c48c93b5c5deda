/** Replication between two processes: many small documents, few large attachments, and thousands of replications that rest. */
import { equal, ok } from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { HttpClient } from "../../helpers/http-client.js";
import { residentBytes } from "../../helpers/process-facts.js";
import { adminAuthorization, type SetteeProcess, startSettee } from "../../helpers/settee-process.js";
import { waitFor } from "../../helpers/wait-for.js";
import type { BenchCase } from "../bench-case.js";

const settings = { SETTEE_REPLICATOR_ALLOWED_ADDRESSES: "127.0.0.0/8" };
const megabyte = 1024 * 1024;
const patience = { timeout: 300_000, interval: 50 };

interface Pair {
  readonly one: SetteeProcess;
  readonly other: SetteeProcess;
  readonly client: HttpClient;
  readonly others: HttpClient;
}

/** Both ends are made for the case: the peer that is measured elsewhere may not be let out of its house. */
async function withPair<T>(use: (pair: Pair) => Promise<T>): Promise<T> {
  const [one, other] = await Promise.all([startSettee({ settings }), startSettee({ settings })]);
  const clients = [new HttpClient(one.url, adminAuthorization), new HttpClient(other.url, adminAuthorization)] as const;
  try {
    return await use({ one, other, client: clients[0], others: clients[1] });
  } finally {
    for (const client of clients) client.close();
    await Promise.all([one.close(), other.close()]);
  }
}

/** Begun and waited for by looking at the target: one request would be longer than a client's patience. */
async function replicate(client: HttpClient, body: object): Promise<number> {
  const began = performance.now();
  const id = `bench-${randomBytes(4).toString("hex")}`;
  await client.expect(201, "PUT", `/_replicator/${id}`, { body });
  const document = await waitFor(
    "the end of the replication",
    async () => {
      const found = (await client.get(`/_replicator/${id}`)).json();
      return found._replication_state ? found : undefined;
    },
    patience,
  );
  equal(document._replication_state, "completed");
  equal(document._replication_stats.doc_write_failures, 0);
  return (performance.now() - began) / 1000;
}

export const replicatedDocuments: BenchCase = {
  id: "replicate-documents",
  onRequest: true,
  rows: [
    {
      id: "replicate-push",
      label: "100,000 documents of 1 kB pushed to another process",
      unit: "documents/s",
      goal: 15_000,
    },
    { id: "replicate-pull", label: "the same pulled", unit: "documents/s", goal: 15_000 },
    { id: "replicate-here", label: "the same between databases of one process", unit: "documents/s", goal: 15_000 },
  ],
  run: ({ quick }) =>
    withPair(async ({ one, other, client, others }) => {
      const count = quick ? 20_000 : 100_000;
      const text = "x".repeat(960);
      await client.expect(201, "PUT", "/source");
      for (let from = 0; from < count; from += 2000) {
        const docs = Array.from({ length: 2000 }, (_, n) => ({
          _id: `doc-${String(from + n).padStart(8, "0")}`,
          text,
        }));
        await client.expect(201, "POST", "/source/_bulk_docs", { body: { docs } });
      }
      const create = { create_target: true };
      const push = await replicate(client, { source: "source", target: `${other.adminUrl}/pushed`, ...create });
      const pull = await replicate(others, { source: `${one.adminUrl}/source`, target: "pulled", ...create });
      const here = await replicate(client, { source: "source", target: "here", ...create });
      for (const [on, name] of [
        [others, "pushed"],
        [others, "pulled"],
        [client, "here"],
      ] as const) {
        equal((await on.get(`/${name}`)).json().doc_count, count);
      }
      return { "replicate-push": count / push, "replicate-pull": count / pull, "replicate-here": count / here };
    }),
};

export const replicatedAttachments: BenchCase = {
  id: "replicate-attachments",
  onRequest: true,
  rows: [
    { id: "replicate-bytes", label: "1 GB in 100 attachments pushed to another process", unit: "MB/s" },
    {
      id: "replicate-memory",
      label: "what either process grows by meanwhile, at its height",
      unit: "MB",
      goal: 100,
      lessIsBetter: true,
    },
  ],
  run: ({ quick }) =>
    withPair(async ({ one, other, client, others }) => {
      const [count, size] = [quick ? 20 : 100, 10 * megabyte];
      await client.expect(201, "PUT", "/source");
      for (let n = 0; n < count; n++) {
        const headers = { "content-type": "application/octet-stream" };
        await client.expect(201, "PUT", `/source/doc-${n}/file`, { body: randomBytes(size), headers });
      }
      const memory = (): readonly number[] => [one, other].map(({ pid }) => residentBytes(pid) ?? 0);
      const before = memory();
      let growth = 0;
      const timer = setInterval(() => {
        memory().forEach((bytes, index) => {
          growth = Math.max(growth, bytes - (before[index] ?? 0));
        });
      }, 50);
      const target = `${other.adminUrl}/target`;
      const seconds = await replicate(client, { source: "source", target, create_target: true }).finally(() =>
        clearInterval(timer),
      );
      equal((await others.get("/target")).json().doc_count, count);
      return { "replicate-bytes": (count * 10) / seconds, "replicate-memory": growth / megabyte };
    }),
};

export const restingReplications: BenchCase = {
  id: "resting-replications",
  onRequest: true,
  rows: [
    {
      id: "resting-memory",
      label: "5,000 continuous local replications that rest: memory, each",
      unit: "KB",
      goal: 10,
      lessIsBetter: true,
    },
    { id: "resting-cpu", label: "the same: processor time of ten seconds", unit: "ms", goal: 100, lessIsBetter: true },
  ],
  run: ({ quick }) =>
    withPair(async ({ client }) => {
      const count = quick ? 1000 : 5000;
      for (let from = 0; from < count; from += 50) {
        const names = Array.from({ length: 50 }, (_, n) => [`source-${from + n}`, `target-${from + n}`]).flat();
        await Promise.all(names.map((name) => client.expect(201, "PUT", `/${name}`)));
      }
      // The heap, as far as it is in use: what the process has taken from the system has room for other work as well.
      const used = async (): Promise<number> => {
        let least = Number.POSITIVE_INFINITY;
        for (let n = 0; n < 20; n++) least = Math.min(least, await heapOf(client));
        return least;
      };
      const before = await used();
      for (let from = 0; from < count; from += 500) {
        const docs = Array.from({ length: 500 }, (_, n) => from + n).map((n) => ({
          _id: `r-${n}`,
          source: `source-${n}`,
          target: `target-${n}`,
          continuous: true,
        }));
        await client.expect(201, "POST", "/_replicator/_bulk_docs", { body: { docs } });
      }
      await waitFor(
        "all to rest",
        async () => (await client.get("/_scheduler/docs?states=running&limit=0")).json().total_rows === count,
        patience,
      );
      const after = await used();
      const began = await processorTime(client);
      await new Promise((resolve) => setTimeout(resolve, 10_000));
      const spent = (await processorTime(client)) - began;
      ok(spent >= 0);
      return { "resting-memory": (after - before) / 1024 / count, "resting-cpu": spent * 1000 };
    }),
};

async function metric(client: HttpClient, name: string): Promise<number> {
  const { text } = await client.expect(200, "GET", "/_node/_local/_prometheus");
  const found = new RegExp(`^${name}(?:\\{[^}]*\\})? ([0-9.e+]+)$`, "m").exec(text)?.[1];
  ok(found !== undefined, `${name} is measured`);
  return Number(found);
}

const heapOf = (client: HttpClient): Promise<number> => metric(client, "nodejs_heap_size_used_bytes");
const processorTime = (client: HttpClient): Promise<number> => metric(client, "process_cpu_seconds_total");
