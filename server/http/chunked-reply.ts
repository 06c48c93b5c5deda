/** Answers that are made piece by piece. Short ones are sent whole; an error before the first pieces are out is a proper answer. */
import type { Call, Reply } from "./call.js";

/** Bytes that are waited for before the answer begins. */
const wholeSize = 64 * 1024;

export async function chunkedReply(
  call: Call,
  chunks: AsyncGenerator<Buffer>,
  headers: Readonly<Record<string, string>> = { "Content-Type": "application/json" },
): Promise<Reply> {
  if (call.method === "HEAD") return { status: 200, headers };
  const first: Buffer[] = [];
  for (let length = 0; length < wholeSize; ) {
    const { value, done } = await chunks.next();
    if (done) return { status: 200, headers, body: first.length === 1 ? (first[0] as Buffer) : Buffer.concat(first) };
    first.push(value);
    length += value.length;
  }
  return { status: 200, headers, body: new Continued(first, chunks) };
}

/** Not a generator: one that was not begun would not pass `return` on, and the source would hold its snapshot for ever. */
class Continued implements AsyncIterableIterator<Buffer> {
  readonly #first: Buffer[];
  readonly #rest: AsyncGenerator<Buffer>;

  constructor(first: Buffer[], rest: AsyncGenerator<Buffer>) {
    this.#first = first;
    this.#rest = rest;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Buffer>> {
    const value = this.#first.shift();
    return value ? { value, done: false } : await this.#rest.next();
  }

  async return(): Promise<IteratorResult<Buffer>> {
    return await this.#rest.return(undefined);
  }
}
