/** Answers that are made piece by piece. Short ones are sent whole; an error before the first pieces are out is a proper answer. */
import { createHash } from "node:crypto";
import type { Call, Reply } from "./call.js";
import { etagOf, hasEtag } from "./etag.js";

/** Bytes that are waited for before the answer begins. */
const wholeSize = 64 * 1024;
const jsonHeaders = { "Content-Type": "application/json" };

/** A generator, or a stream's iterator. */
type Source = AsyncIterator<Buffer, unknown>;
type Headers = Readonly<Record<string, string>>;

export async function chunkedReply(
  call: Call,
  chunks: AsyncGenerator<Buffer>,
  headers: Headers = jsonHeaders,
): Promise<Reply> {
  const body = await whole(chunks);
  // A mistake in the query is told to those as well who want no answer.
  if (call.method !== "HEAD") return { status: 200, headers, body };
  if (!Buffer.isBuffer(body)) await chunks.return(undefined);
  return { status: 200, headers };
}

/** With an entity tag of its content, for answers that follow from more than one database; long ones go without. */
export async function taggedReply(call: Call, chunks: AsyncGenerator<Buffer>): Promise<Reply> {
  const body = await whole(chunks);
  if (!Buffer.isBuffer(body)) return { status: 200, headers: jsonHeaders, body };
  const etag = etagOf(createHash("md5").update(body).digest("base64url"));
  if (hasEtag(call.headers, etag)) return { status: 304, headers: { ETag: etag } };
  return { status: 200, headers: { ...jsonHeaders, ETag: etag }, body };
}

/** All of it when it is short. @throws what the source does, when it does so early */
export async function whole(chunks: Source): Promise<Buffer | AsyncIterable<Buffer>> {
  const first: Buffer[] = [];
  for (let length = 0; length < wholeSize; ) {
    const { value, done } = await chunks.next();
    if (done) return first.length === 1 ? (first[0] as Buffer) : Buffer.concat(first);
    first.push(value);
    length += value.length;
  }
  return new Continued(first, chunks);
}

/** Not a generator: one that was not begun would not pass `return` on, and the source would hold its snapshot for ever. */
class Continued implements AsyncIterableIterator<Buffer> {
  readonly #first: Buffer[];
  readonly #rest: Source;

  constructor(first: Buffer[], rest: Source) {
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
    return (await this.#rest.return?.(undefined)) ?? { value: undefined, done: true };
  }
}
