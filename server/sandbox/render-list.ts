/** Answers that list functions make of rows: rows stream in and text streams out, and neither is ever here as a whole. */
import { Readable } from "node:stream";
import { CouchError } from "../../protocol/errors.js";
import { refusalError } from "./refusal-error.js";
import type { FunctionResponse, RenderQuestion } from "./render.js";
import type { WorkerPool } from "./worker-pool.js";
import type { Limited, ListWork, Refusal } from "./worker-protocol.js";

export interface ListQuestion extends RenderQuestion {
  /** JSON text: `{"total_rows": 1, "offset": 0}`, or `{}` for reductions. */
  readonly head: string;
  /** JSON texts, a line feed behind each, some at a time. Only as many are pulled as the function reads. */
  readonly rows: AsyncIterable<string>;
  /** Milliseconds. Default: 10,000. */
  readonly patienceMs?: number;
}

export interface ListAnswer {
  /** Code and headers as the function gave them; undefined when it sent nothing at all. */
  readonly start: FunctionResponse | undefined;
  /** Fails when the function does. To be read to its end or destroyed: that ends the function. */
  readonly body: Readable;
}

/** Bytes that may wait to be read. Beyond that the function waits for its reader, and a thread with it. */
const mostUnread = 16 * 1024 * 1024;
/** In which a reader who is that far behind has to read on. */
const defaultPatienceMs = 10_000;

/** Resolves when the head is known. @throws CouchError what the function threw, or what the rows failed with */
export function renderList(pool: WorkerPool, question: Limited<ListQuestion>): Promise<ListAnswer> {
  const { shareKey: _, ...source } = question.function;
  const work: ListWork = {
    command: "list",
    database: question.database,
    // Never in a shared realm: types that a function registers stay registered.
    functions: [source],
    timeLimitMs: question.timeLimitMs,
    calls: [[question.head, question.req]],
  };
  return new Promise((resolve, reject) => {
    const rows = question.rows[Symbol.asyncIterator]();
    const { body, room } = openOutput(question.patienceMs ?? defaultPatienceMs);
    /** Whether there is room for more. */
    const take = (head: string, sent: string): boolean => {
      if (head !== "") resolve({ start: JSON.parse(head) as FunctionResponse, body });
      return sent === "" || body.destroyed || body.push(sent);
    };
    /** The function's own end tells nothing about it. */
    let rowsFailed: { readonly error: unknown } | undefined;
    const feed = async (head: string, sent: string): Promise<string | null> => {
      try {
        if (!take(head, sent)) await room();
        return body.destroyed ? null : await nextRows(rows);
      } catch (error) {
        rowsFailed = { error };
        return null;
      }
    };
    pool
      .run<ListWork>(work, feed)
      .then(([outcome]) => {
        if (typeof outcome !== "string") throw rowsFailed ? rowsFailed.error : refusalError(outcome as Refusal);
        const line = outcome.indexOf("\n");
        take(outcome.slice(0, line), outcome.slice(line + 1));
        // Of no effect when the head was known.
        resolve({ start: undefined, body });
        body.push(null);
      })
      .catch((error: Error) => {
        reject(error);
        body.destroy(error);
      })
      .finally(() => rows.return?.());
  });
}

/** Empty at the end. */
async function nextRows(rows: AsyncIterator<string>): Promise<string> {
  for (;;) {
    const { done, value } = await rows.next();
    if (done) return "";
    if (value !== "") return value;
  }
}

interface Output {
  readonly body: Readable;
  /** Resolves when it was read enough of, or is not read any more. @throws CouchError timeout */
  room(): Promise<void>;
}

function openOutput(patienceMs: number): Output {
  let resume = (): void => undefined;
  const body = new Readable({
    highWaterMark: mostUnread,
    read: () => resume(),
    destroy: (error, done) => {
      resume();
      done(error);
    },
  });
  // It may fail before anybody has begun to read.
  body.on("error", () => undefined);
  const room = async (): Promise<void> => {
    let timer: NodeJS.Timeout | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        resume = resolve;
        const late = new CouchError("timeout", "The answer of the list function was not read in time.");
        timer = setTimeout(() => reject(late), patienceMs);
      });
    } finally {
      clearTimeout(timer);
    }
  };
  return { body, room };
}
