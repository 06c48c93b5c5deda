/**
 * Taking in the bytes of an attachment, before the write that names them: digest, compression of what compresses well (as
 * CouchDB does it), and a home. Large contents are on disk when this resolves; small ones travel with the write.
 */
import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { createGzip } from "node:zlib";
import { CouchError } from "../../../protocol/errors.js";
import type { DatabaseNumber } from "../../storage/keys.js";
import type { BlobDraft, BlobStore } from "./blob-store.js";

/** Stored bytes up to here lie in the store, beside the bodies; longer ones are files. */
export const smallAttachment = 8 * 1024;

export interface TakenContent {
  readonly digest: string;
  /** Bytes as a reader gets them; unknown (equal to the stored length) when a client sent them encoded. */
  readonly length: number;
  readonly storedLength: number;
  readonly encoding?: "gzip";
  /** The stored bytes, when they are small. */
  readonly small?: Buffer;
}

export interface IntakeOptions {
  readonly contentType: string;
  /** The bytes come compressed already. */
  readonly encoding?: "gzip" | undefined;
  /** Base64 of the MD5 that the sender promises of the bytes as they come. */
  readonly contentMd5?: string | undefined;
  /** Bytes that the sender promises. */
  readonly expectedLength?: number | undefined;
  /** Bytes allowed. */
  readonly limit: number;
}

/** Told of the digest before the bytes get their name: from then on a sweep must leave them alone. */
export type DigestKnown = (digest: string) => void;

/** CouchDB's `compressible_types`. */
const compressible = /^(text\/|application\/(javascript|json|xml)\b)/i;
/** CouchDB's `compression_level`. */
const compressionLevel = 8;

/** @throws CouchError attachment_too_large, content_md5_mismatch, bad_request */
export async function takeContent(
  blobs: BlobStore,
  database: DatabaseNumber,
  source: Buffer | Readable,
  options: IntakeOptions,
  known: DigestKnown,
): Promise<TakenContent> {
  const compress = options.encoding === undefined && compressible.test(options.contentType);
  const received = new Received(options);
  const incoming = received.watch(Buffer.isBuffer(source) ? [source] : source);
  const stored = createHash("md5");
  let head: Buffer[] = [];
  let storedLength = 0;
  let draft: BlobDraft | undefined;
  try {
    for await (const chunk of compress ? compressed(incoming) : incoming) {
      stored.update(chunk);
      storedLength += chunk.length;
      head.push(chunk);
      if (storedLength <= smallAttachment) continue;
      draft ??= await blobs.draft(database);
      await draft.write(head.length === 1 ? chunk : Buffer.concat(head));
      head = [];
    }
    received.check();
    const digest = `md5-${stored.digest("base64")}`;
    known(digest);
    await draft?.keep(digest);
    const encoding = compress ? "gzip" : options.encoding;
    return {
      digest,
      length: compress ? received.length : storedLength,
      storedLength,
      ...(encoding ? { encoding } : {}),
      ...(draft ? {} : { small: Buffer.concat(head) }),
    };
  } catch (error) {
    await draft?.discard();
    throw error;
  }
}

function compressed(source: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  const gzip = createGzip({ level: compressionLevel });
  const input = Readable.from(source, { objectMode: false });
  // A failure of the source (too large, aborted) must reach whoever reads the compressed end.
  input.on("error", (error) => gzip.destroy(error));
  return input.pipe(gzip);
}

/** Counts and hashes the bytes as they come, and holds them against what was promised. */
class Received {
  length = 0;
  readonly #options: IntakeOptions;
  readonly #hash;

  constructor(options: IntakeOptions) {
    this.#options = options;
    this.#hash = options.contentMd5 === undefined ? undefined : createHash("md5");
  }

  async *watch(source: Iterable<Buffer> | AsyncIterable<Buffer>): AsyncIterable<Buffer> {
    for await (const chunk of source) {
      this.length += chunk.length;
      if (this.length > this.#options.limit) {
        throw new CouchError("attachment_too_large", `An attachment may have at most ${this.#options.limit} bytes.`);
      }
      this.#hash?.update(chunk);
      yield chunk;
    }
  }

  check(): void {
    const { contentMd5, expectedLength } = this.#options;
    if (expectedLength !== undefined && expectedLength !== this.length) {
      throw new CouchError("bad_request", `The attachment has ${this.length} bytes; ${expectedLength} were promised.`);
    }
    if (this.#hash && this.#hash.digest("base64") !== contentMd5) throw new CouchError("content_md5_mismatch");
  }
}
