/** Answers to clients that functions of design documents make: shows, updates, lists, rewrites. */
import { CouchError } from "../../protocol/errors.js";
import { refusalError } from "./refusal-error.js";
import type { WorkerPool } from "./worker-pool.js";
import type { FunctionSource, Refusal, RenderWork } from "./worker-protocol.js";

export interface RenderQuestion {
  readonly database: string;
  readonly function: FunctionSource;
  /** JSON text of what the function may know of the request. */
  readonly req: string;
  /** Milliseconds. Default: 5,000. */
  readonly timeLimitMs?: number;
}

export interface ShowQuestion extends RenderQuestion {
  /** JSON text, or null when there is no document. */
  readonly doc: string | null;
}

export interface ListQuestion extends RenderQuestion {
  /** JSON text: `{"total_rows": 1, "offset": 0}`, or `{}` for reductions. */
  readonly head: string;
  /** JSON texts. Only as many are pulled as the function reads. */
  readonly rows: AsyncIterable<string>;
}

/** As the function gave it: CouchDB's `code`, `headers`, `body`, `base64`, `json`, `stop`, and nothing of it is checked. */
export type FunctionResponse = Readonly<Record<string, unknown>>;

export interface UpdateAnswer {
  /** JSON text of the document to write, or null for none. */
  readonly doc: string | null;
  readonly response: FunctionResponse;
}

export interface ListAnswer {
  /** Code and headers. */
  readonly start: FunctionResponse;
  readonly body: string;
}

const defaultTimeLimitMs = 5_000;
/** Characters of rows that a list function is first given; each time it wants more, it gets this many times as much. */
const firstRows = 64 * 1024;
const growth = 8;
const mostRows = 16 * 1024 * 1024;

export async function renderShow(pool: WorkerPool, question: ShowQuestion): Promise<FunctionResponse> {
  const { response } = await render<{ response: FunctionResponse }>(pool, "show", question, [
    question.doc ?? "null",
    question.req,
  ]);
  return response;
}

export function renderUpdate(pool: WorkerPool, question: ShowQuestion): Promise<UpdateAnswer> {
  return render(pool, "update", question, [question.doc ?? "null", question.req]);
}

/** What a `rewrites` function wants instead of the request, or null when it knows no rule for it. */
export async function renderRewrite(pool: WorkerPool, question: RenderQuestion): Promise<FunctionResponse | null> {
  return (await render<{ rewrite: FunctionResponse | null }>(pool, "rewrite", question, [question.req])).rewrite;
}

export async function renderList(pool: WorkerPool, question: ListQuestion): Promise<ListAnswer> {
  const { head, req } = question;
  const iterator = question.rows[Symbol.asyncIterator]();
  let rows = "";
  let done = false;
  try {
    for (let room = firstRows; ; room *= growth) {
      while (!done && rows.length < room) {
        const next = await iterator.next();
        if (next.done) done = true;
        else rows += `${next.value}\n`;
      }
      const answer = await render<ListAnswer | { more: true }>(pool, "list", question, [
        head,
        req,
        rows,
        done ? "" : "more",
      ]);
      if (!("more" in answer)) return answer;
      if (rows.length >= mostRows) {
        throw new CouchError("render_error", `A list function may read at most ${mostRows} characters of rows.`);
      }
    }
  } finally {
    if (!done) await iterator.return?.();
  }
}

/** @throws CouchError what the function threw, or render_error */
async function render<T>(
  pool: WorkerPool,
  command: RenderWork["command"],
  question: RenderQuestion,
  texts: readonly string[],
): Promise<T> {
  const { shareKey: _, ...source } = question.function;
  const [outcome] = await pool.run<RenderWork>({
    command,
    database: question.database,
    // Never in a shared realm: types that a function registers stay registered.
    functions: [source],
    timeLimitMs: question.timeLimitMs ?? defaultTimeLimitMs,
    calls: [texts],
  });
  if (isRefusal(outcome)) throw refusalError(outcome);
  return outcome as T;
}

function isRefusal(outcome: unknown): outcome is Refusal {
  return typeof outcome === "object" && outcome !== null && "error" in outcome;
}
