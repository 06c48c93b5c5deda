import { createHash } from "node:crypto";
import type { BlobDraft } from "./blob-store.js";

/** Bytes gathered before they are written: what one upload holds in memory at most. */
const writeSize = 1024 * 1024;

/** The bytes of one content as they are stored: in memory while they are few, in a file as soon as they are many. */
export class GatheredContent {
  length = 0;
  readonly #hash = createHash("md5");
  readonly #smallLimit: number;
  readonly #newDraft: () => Promise<BlobDraft>;
  #chunks: Buffer[] = [];
  #waiting = 0;
  #draft: BlobDraft | undefined;

  /** Up to `smallLimit` bytes no draft is made. */
  constructor(smallLimit: number, newDraft: () => Promise<BlobDraft>) {
    this.#smallLimit = smallLimit;
    this.#newDraft = newDraft;
  }

  /** To be awaited, when there is something to wait for, before the next one is added. */
  add(chunk: Buffer): Promise<void> | undefined {
    this.#hash.update(chunk);
    this.length += chunk.length;
    this.#waiting += chunk.length;
    this.#chunks.push(chunk);
    return this.#waiting < writeSize ? undefined : this.#flush();
  }

  /** Base64. Once, after the last byte. */
  md5(): string {
    return this.#hash.digest("base64");
  }

  /** Makes the bytes durable, or gives them back when they are small. */
  async keep(digest: string): Promise<Buffer | undefined> {
    if (this.length <= this.#smallLimit) return Buffer.concat(this.#chunks);
    if (this.#waiting > 0) await this.#flush();
    await this.#draft?.keep(digest);
    return undefined;
  }

  async discard(): Promise<void> {
    await this.#draft?.discard();
  }

  async #flush(): Promise<void> {
    const chunks = this.#chunks;
    this.#chunks = [];
    this.#waiting = 0;
    this.#draft ??= await this.#newDraft();
    await this.#draft.write(chunks);
  }
}
