/** The body of an answer of `_find`, piece by piece as it is pulled. */
import { ByteWriter } from "../documents/bytes.js";
import type { Json } from "../query/mango/body-members.js";
import { type FindOutcome, type FindStatistics, find } from "../query/mango/find.js";
import type { FindRequest } from "../query/mango/find-request.js";
import { findWarnings } from "../query/mango/find-warnings.js";
import { foundWriter } from "../query/mango/found-text.js";
import type { MangoIndex } from "../query/mango/mango-index.js";
import type { Plan } from "../query/mango/plan.js";
import type { DatabaseCall } from "./call.js";

/** Bytes gathered before they are handed to the socket. */
const chunkSize = 64 * 1024;

/** The index is brought up to date before the answer begins, unless the request does without. */
export async function* findAnswer(
  call: DatabaseCall,
  request: FindRequest,
  plan: Plan & { readonly index: MangoIndex },
): AsyncGenerator<Buffer> {
  // CouchDB does not look for what cannot be there, and says no more about it.
  if (plan.isEmpty) return yield Buffer.from('{"docs":[\r\n]}\r\n');
  const started = performance.now();
  const { database } = call;
  // A signal is made when it is first asked for, and most queries end before that.
  const mustGoOn = (): void => call.signal.throwIfAborted();
  const held = await holdIndex(call, request, plan.index);
  try {
    const finding = find({ database, held, mustGoOn }, request, plan);
    const write = foundWriter(database, request, plan.index);
    const out = new ByteWriter(16 * 1024).latin1('{"docs":[');
    let separator = "\r\n";
    for (;;) {
      const { done, value } = await finding.next();
      if (done) return yield endOf(out, request, plan.index, value, performance.now() - started);
      for (const found of value) {
        write(out.latin1(separator), found);
        separator = ",\r\n";
        if (out.length >= chunkSize) yield out.take();
      }
    }
  } finally {
    await held?.version.release();
  }
}

async function holdIndex(
  { database, services }: DatabaseCall,
  { update, stale }: FindRequest,
  index: MangoIndex,
): Promise<Parameters<typeof find>[0]["held"]> {
  if (index.type === "special") return undefined;
  const opened = await services.indexes.open(database, index.definition);
  if (update && stale === false) await opened.bringUpToDate();
  return { index, version: opened.hold() };
}

function endOf(
  out: ByteWriter,
  request: FindRequest,
  index: MangoIndex,
  { bookmark, statistics }: FindOutcome,
  milliseconds: number,
): Buffer {
  const members: [string, unknown][] = [["bookmark", bookmark ?? "nil"]];
  if (request.executionStats) members.push(["execution_stats", statisticsJson(request, statistics, milliseconds)]);
  const warnings = findWarnings(request, index, statistics);
  if (warnings.length > 0) members.push(["warning", warnings.join("\n")]);
  const text = members.map(([name, value]) => `,\r\n"${name}": ${JSON.stringify(value)}`).join("");
  return out.utf8(`\r\n]${text}}\r\n`).view();
}

function statisticsJson({ copies }: FindRequest, statistics: FindStatistics, milliseconds: number): Json {
  const { keysExamined, documentsExamined, results } = statistics;
  return {
    total_keys_examined: keysExamined,
    total_docs_examined: copies === 1 ? documentsExamined : 0,
    total_quorum_docs_examined: copies === 1 ? 0 : documentsExamined,
    results_returned: results,
    execution_time_ms: Math.round(milliseconds * 1000) / 1000,
  };
}
