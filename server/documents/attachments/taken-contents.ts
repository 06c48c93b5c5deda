import type { Readable } from "node:stream";
import type { DatabaseNumber } from "../../storage/keys.js";
import type { IncomingAttachment } from "../incoming-revision.js";
import type { AttachmentInfo } from "./attachment-info.js";
import type { BlobStore } from "./blob-store.js";
import type { Compression } from "./compression.js";
import { type IntakeOptions, type TakenContent, takeContent } from "./intake.js";
import { type Hold, TakenDigests } from "./taken-digests.js";

/** What came into one database, or is to be named once more, ahead of the writes that name it. */
export class TakenContents {
  readonly digests = new TakenDigests();
  readonly #blobs: BlobStore;
  readonly #number: DatabaseNumber;
  readonly #compression: () => Compression;
  #unnamedBytes = 0;

  constructor(blobs: BlobStore, number: DatabaseNumber, compression: () => Compression) {
    this.#blobs = blobs;
    this.#number = number;
    this.#compression = compression;
  }

  /** Bytes that no document names, roughly: of uploads under way, refused writes, purged documents. */
  get unnamedBytes(): number {
    return this.#unnamedBytes;
  }

  /** @throws CouchError attachment_too_large, content_md5_mismatch, bad_request */
  async take(source: Buffer | Readable, given: IntakeOptions): Promise<TakenContent> {
    let hold: Hold | undefined;
    const options = { compression: this.#compression(), ...given };
    const content = await takeContent(this.#blobs, this.#number, source, options, (digest) => {
      hold = this.digests.hold(digest);
    });
    this.#unnamedBytes += content.storedLength;
    return { ...content, ...(hold ? { hold } : {}) };
  }

  /** A content that a document names, for another document to name it too. */
  share({ digest, length, storedLength, encoding }: AttachmentInfo): TakenContent {
    const hold = this.digests.hold(digest);
    this.#unnamedBytes += storedLength;
    return { digest, length, storedLength, ...(encoding ? { encoding } : {}), hold };
  }

  /** A write is over: its contents are named now, or nobody wants them. */
  settle(attachments: readonly IncomingAttachment[], written: boolean): void {
    for (const attachment of attachments) {
      if (attachment.kind !== "new") continue;
      const { hold, storedLength } = attachment.content;
      if (hold) this.digests.release(hold);
      if (written) this.cleared(storedLength);
    }
  }

  /** A purge took away what named so many bytes. */
  unname(bytes: number): void {
    this.#unnamedBytes += bytes;
  }

  /** So many bytes are unnamed no longer: a document names them, or a sweep removed them. */
  cleared(bytes: number): void {
    this.#unnamedBytes = Math.max(0, this.#unnamedBytes - bytes);
  }
}
