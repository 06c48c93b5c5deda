/** Answers to clients that functions of design documents make: shows, updates, rewrites. */
import { refusalError } from "./refusal-error.js";
import type { WorkerPool } from "./worker-pool.js";
import type { FunctionSource, Limited, Refusal, RenderWork } from "./worker-protocol.js";

export interface RenderQuestion {
  readonly database: string;
  readonly function: FunctionSource;
  /** JSON text of what the function may know of the request. */
  readonly req: string;
  /** Milliseconds. Default: what the sandbox is set to. */
  readonly timeLimitMs?: number;
}

export interface ShowQuestion extends RenderQuestion {
  /** JSON text, or null when there is no document. */
  readonly doc: string | null;
}

/** As the function gave it: CouchDB's `code`, `headers`, `body`, `base64`, `json`, `stop`, and nothing of it is checked. */
export type FunctionResponse = Readonly<Record<string, unknown>>;

export interface UpdateAnswer {
  /** JSON text of the document to write, or null for none. */
  readonly doc: string | null;
  readonly response: FunctionResponse;
}

export async function renderShow(pool: WorkerPool, question: Limited<ShowQuestion>): Promise<FunctionResponse> {
  const { response } = await render<{ response: FunctionResponse }>(pool, "show", question, [
    question.doc ?? "null",
    question.req,
  ]);
  return response;
}

export function renderUpdate(pool: WorkerPool, question: Limited<ShowQuestion>): Promise<UpdateAnswer> {
  return render(pool, "update", question, [question.doc ?? "null", question.req]);
}

/** What a `rewrites` function wants instead of the request, or null when it knows no rule for it. */
export async function renderRewrite(
  pool: WorkerPool,
  question: Limited<RenderQuestion>,
): Promise<FunctionResponse | null> {
  return (await render<{ rewrite: FunctionResponse | null }>(pool, "rewrite", question, [question.req])).rewrite;
}

/** @throws CouchError what the function threw, or render_error */
async function render<T>(
  pool: WorkerPool,
  command: RenderWork["command"],
  question: Limited<RenderQuestion>,
  texts: readonly string[],
): Promise<T> {
  const { shareKey: _, ...source } = question.function;
  const [outcome] = await pool.run<RenderWork>({
    command,
    database: question.database,
    // Never in a shared realm: types that a function registers stay registered.
    functions: [source],
    timeLimitMs: question.timeLimitMs,
    calls: [texts],
  });
  if (isRefusal(outcome)) throw refusalError(outcome);
  return outcome as T;
}

function isRefusal(outcome: unknown): outcome is Refusal {
  return typeof outcome === "object" && outcome !== null && "error" in outcome;
}
