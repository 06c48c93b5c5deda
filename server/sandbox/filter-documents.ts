/** Which documents a filter function lets through. */
import { refusalError } from "./refusal-error.js";
import type { WorkerPool } from "./worker-pool.js";
import type { FilterWork, FunctionSource, Limited } from "./worker-protocol.js";

export interface FilterBatch {
  readonly database: string;
  readonly filter: FunctionSource;
  /** The function is a map function: documents pass for which it emits. */
  readonly byView?: boolean;
  /** JSON text of what the function may know of the request. */
  readonly req: string;
  /** JSON texts. */
  readonly documents: readonly string[];
  /** Milliseconds for up to a hundred documents. Default: what the sandbox is set to. */
  readonly timeLimitMs?: number;
}

const maxDocuments = 100;

/** Whether it passes, for each document. @throws CouchError when the function fails on one: a feed cannot go on without an answer */
export async function filterDocuments(pool: WorkerPool, batch: Limited<FilterBatch>): Promise<readonly boolean[]> {
  const { documents } = batch;
  const calls: string[] = [];
  for (let from = 0; from < documents.length; from += maxDocuments) {
    calls.push(`[${documents.slice(from, from + maxDocuments).join(",")}]`);
  }
  if (calls.length === 0) return [];
  const outcomes = await pool.run<FilterWork>({
    command: "filter",
    database: batch.database,
    functions: [batch.filter],
    byView: batch.byView ?? false,
    req: batch.req,
    timeLimitMs: batch.timeLimitMs,
    calls,
  });
  return outcomes.flatMap((outcome) => {
    if (typeof outcome !== "string") throw refusalError(outcome);
    return Array.from(outcome, (passes) => passes === "1");
  });
}
