/**
 * Taking in the bytes of an attachment, before the write that names them: digest, compression of what compresses well (as
 * CouchDB does it), and a home. Large contents are on disk when this resolves; small ones travel with the write.
 */
import { createHash } from "node:crypto";
import type { Readable } from "node:stream";
import { CouchError } from "../../../protocol/errors.js";
import type { DatabaseNumber } from "../../storage/keys.js";
import type { BlobStore } from "./blob-store.js";
import { type Compression, compressed, defaultCompression, isCompressible } from "./compression.js";
import { GatheredContent } from "./gathered-content.js";
import type { Hold } from "./taken-digests.js";

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
  /** Keeps sweeps away from the bytes until the write that names them is over. */
  readonly hold?: Hold;
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
  /** What is compressed, and how much; default: as CouchDB does it by default. */
  readonly compression?: Compression;
}

/** Told of the digest before the bytes get their name: from then on a sweep must leave them alone. */
export type DigestKnown = (digest: string) => void;

/**
 * Reads the source to its end, or stops where it breaks a promise and leaves the rest unread.
 * @throws CouchError attachment_too_large, content_md5_mismatch, bad_request
 */
export async function takeContent(
  blobs: BlobStore,
  database: DatabaseNumber,
  source: Buffer | Readable,
  options: IntakeOptions,
  known: DigestKnown,
): Promise<TakenContent> {
  const compression = options.compression ?? defaultCompression;
  const compress = options.encoding === undefined && isCompressible(options.contentType, compression);
  const received = new Received(options, compress);
  const incoming = received.watch(Buffer.isBuffer(source) ? [source] : chunksOf(source));
  const stored = new GatheredContent(smallAttachment, () => blobs.draft(database));
  try {
    for await (const chunk of compress ? compressed(incoming, compression.level) : incoming) {
      const writing = stored.add(chunk);
      if (writing) await writing;
    }
    const md5 = stored.md5();
    received.check(md5);
    const digest = `md5-${md5}`;
    known(digest);
    const small = await stored.keep(digest);
    const encoding = compress ? "gzip" : options.encoding;
    return {
      digest,
      length: compress ? received.length : stored.length,
      storedLength: stored.length,
      ...(encoding ? { encoding } : {}),
      ...(small ? { small } : {}),
    };
  } catch (error) {
    await stored.discard();
    throw error;
  }
}

/** A request must outlive its reader: the refusal goes through the same socket. */
async function* chunksOf(source: Readable): AsyncIterable<Buffer> {
  try {
    for await (const chunk of source.iterator({ destroyOnReturn: false })) yield chunk as Buffer;
  } catch (error) {
    if (error instanceof CouchError) throw error;
    throw new CouchError("bad_request", "The attachment broke off before its end.", { cause: error });
  }
}

/** Counts and hashes the bytes as they come, and holds them against what was promised. */
class Received {
  length = 0;
  readonly #options: IntakeOptions;
  /** Only where other bytes are stored than came: one hash is enough otherwise. */
  readonly #hash;

  constructor(options: IntakeOptions, compress: boolean) {
    this.#options = options;
    this.#hash = compress && options.contentMd5 !== undefined ? createHash("md5") : undefined;
  }

  async *watch(source: Iterable<Buffer> | AsyncIterable<Buffer>): AsyncIterable<Buffer> {
    const { limit, expectedLength } = this.#options;
    for await (const chunk of source) {
      this.length += chunk.length;
      if (this.length > limit) {
        throw new CouchError("attachment_too_large", `An attachment may have at most ${limit} bytes.`);
      }
      if (expectedLength !== undefined && this.length > expectedLength) {
        throw new CouchError("bad_request", "attachment longer than expected");
      }
      this.#hash?.update(chunk);
      yield chunk;
    }
  }

  check(storedMd5: string): void {
    const { contentMd5, expectedLength } = this.#options;
    if (expectedLength !== undefined && this.length < expectedLength) {
      throw new CouchError("bad_request", "attachment shorter than expected");
    }
    if (contentMd5 === undefined) return;
    if ((this.#hash?.digest("base64") ?? storedMd5) !== contentMd5) throw new CouchError("content_md5_mismatch");
  }
}
