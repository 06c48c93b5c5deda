import { ok } from "node:assert/strict";
import type { BenchCase, BenchRow, CaseContext } from "../bench-case.js";
import { Connection } from "../load/connection.js";
import { documentId, documentOf, documentsOf } from "../load/documents.js";
import { growthOf } from "../load/growth.js";
import { quantile } from "../load/quantile.js";
import { type ReadOptions, readAnswer } from "../load/whole-answer.js";

const listings = [
  { id: "changes", path: "_changes" },
  { id: "all-docs", path: "_all_docs" },
  { id: "all-docs-docs", path: "_all_docs?include_docs=true" },
];
const filling = 20_000;
/** Milliseconds of small requests before a listing begins, and all of them where there is none. */
const warmUp = 1500;
const slowReader: ReadOptions = { bytesPerSecond: 1_000_000, upTo: 15_000_000 };

/** What large answers cost the server, and those who ask small things meanwhile; `--only large-database`. */
export const largeDatabase: BenchCase = {
  id: "large-database",
  onRequest: true,
  rows: [
    { id: "large-alone-p99", label: "200,000 documents, small GETs and PUTs: p99", unit: "ms", lessIsBetter: true },
    { id: "large-alone-max", label: "the same: longest", unit: "ms", lessIsBetter: true },
    ...listings.flatMap(rowsOf),
    { id: "large-slow-rss", label: "a reader of 1 MB/s: memory added", unit: "MB", goal: 64, lessIsBetter: true },
  ],
  async run(context) {
    const { createDatabase, fill, peer, quick } = context;
    const count = quick ? 40_000 : 200_000;
    const database = await createDatabase();
    for (let from = 0; from < count; from += filling) await fill(database, documentsOf(from, filling));

    const small = new SmallRequests(context, database, count);
    const alone = await small.during(() => Promise.resolve());
    const values: Record<string, number> = {
      "large-alone-p99": quantile(alone.before, 0.99),
      "large-alone-max": Math.max(...alone.before),
    };
    for (const { id, path } of listings) {
      await startAnew(context);
      const read = () => readAnswer(peer.target, `${database}/${path}`);
      const { result, latencies } = await small.during(() => growthOf(peer, read));
      // Every row, and with documents every document.
      const { bytes, firstByte } = result.result;
      ok(bytes > count * (path.includes("include_docs") ? 300 : 40), `${path} was ${bytes} bytes`);
      values[`large-${id}-rss`] = result.growth / 2 ** 20;
      values[`large-${id}-first`] = firstByte;
      values[`large-${id}-p99`] = quantile(latencies, 0.99);
      values[`large-${id}-max`] = Math.max(...latencies);
    }
    await startAnew(context);
    await small.during(() => Promise.resolve());
    // Nobody else asks: what many writes leave in memory until the next collection is not the reader's doing.
    const slow = await growthOf(peer, () =>
      readAnswer(peer.target, `${database}/_all_docs?include_docs=true`, slowReader),
    );
    values["large-slow-rss"] = slow.growth / 2 ** 20;
    return values;
  },
};

function rowsOf({ id, path }: (typeof listings)[number]): readonly BenchRow[] {
  return [
    { id: `large-${id}-rss`, label: `${path}: memory added`, unit: "MB", goal: 64, lessIsBetter: true },
    { id: `large-${id}-first`, label: "first byte", unit: "ms", goal: 100, lessIsBetter: true },
    { id: `large-${id}-p99`, label: "small requests meanwhile: p99", unit: "ms", goal: 50, lessIsBetter: true },
    { id: `large-${id}-max`, label: "the longest of them", unit: "ms", goal: 50, lessIsBetter: true },
  ];
}

/** Memory that an earlier listing used would hide what the next one uses. */
async function startAnew({ peer, load }: CaseContext): Promise<void> {
  load.close();
  await peer.restart();
}

/** A client of its own that reads and writes single documents, one after the other. */
class SmallRequests {
  readonly #context: CaseContext;
  readonly #database: string;
  readonly #count: number;
  #written: number;

  constructor(context: CaseContext, database: string, count: number) {
    this.#context = context;
    this.#database = database;
    this.#count = count;
    this.#written = count;
  }

  /** Asks from before `work` begins until it ends; the latencies are milliseconds before it and during it. */
  async during<T>(work: () => Promise<T>): Promise<{ result: T; before: number[]; latencies: number[] }> {
    const connection = await Connection.open(this.#context.peer.target.url);
    const before: number[] = [];
    for (const end = performance.now() + warmUp; performance.now() < end; ) before.push(await this.#one(connection));
    const latencies: number[] = [];
    let working = true;
    const asking = async (): Promise<void> => {
      do latencies.push(await this.#one(connection));
      while (working);
    };
    const asked = asking();
    try {
      return { result: await work(), before, latencies };
    } finally {
      working = false;
      await asked;
      connection.close();
    }
  }

  async #one(connection: Connection): Promise<number> {
    const { load } = this.#context;
    const number = this.#written++;
    const { _id, ...body } = documentOf(number);
    const request =
      number % 2 === 0
        ? load.prepare("PUT", `${this.#database}/${_id}`, body)
        : load.prepare("GET", `${this.#database}/${documentId((number * 7919) % this.#count)}`);
    const sent = performance.now();
    const { status } = await connection.send(request);
    ok(status < 300, `a small request was answered ${status}`);
    return performance.now() - sent;
  }
}
