/** Compression of what compresses well, as CouchDB does it: by type, with gzip, before the bytes are hashed and stored. */
import { pipeline, Readable } from "node:stream";
import { createGzip } from "node:zlib";
import { gzip } from "pako";

/** CouchDB's section `attachments`. */
export interface Compression {
  /** Media types, in which `*` stands for anything. */
  readonly types: readonly string[];
  /** 1 (fast) to 9 (small); 0: nothing is compressed. */
  readonly level: number;
}

export const defaultCompression: Compression = {
  types: ["text/*", "application/javascript", "application/json", "application/xml"],
  level: 8,
};

/**
 * Bytes up to here are compressed in one go by the zlib that CouchDB has, so that the same text has the same digest in both. Node's
 * own takes other turns with short matches; it is for what is longer, on threads of its own.
 */
const wholeSize = 8 * 1024;

const known = new WeakMap<readonly string[], RegExp>();

/** Whether bytes of this type are to be compressed. */
export function isCompressible(contentType: string, { types, level }: Compression): boolean {
  if (level === 0 || types.length === 0) return false;
  let pattern = known.get(types);
  if (!pattern) {
    const names = types.map((type) => type.replace(/[^*\w/-]/g, "\\$&").replaceAll("*", "[^;]*"));
    pattern = new RegExp(`^\\s*(?:${names.join("|")})\\s*(?:;|$)`, "i");
    known.set(types, pattern);
  }
  return pattern.test(contentType);
}

export async function* compressed(source: AsyncIterable<Buffer>, level: number): AsyncGenerator<Buffer> {
  const chunks = source[Symbol.asyncIterator]();
  const first: Buffer[] = [];
  let length = 0;
  while (length <= wholeSize) {
    const next = await chunks.next();
    if (next.done) {
      // pako takes the levels as a type of their own.
      yield Buffer.from(gzip(Buffer.concat(first), { level: level as 8 }));
      return;
    }
    first.push(next.value);
    length += next.value.length;
  }
  const whole = Readable.from(following(first, chunks), { objectMode: false });
  // Whoever reads the compressed end is told of a failure of the source (too large, aborted) there.
  yield* pipeline(whole, createGzip({ level }), () => undefined) as AsyncIterable<Buffer>;
}

async function* following(first: readonly Buffer[], rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield* first;
    for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}
