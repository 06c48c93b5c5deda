/** What one user's databases hold together, kept up to date in memory, and the writes under way that will add to it. */
import { CouchError } from "../../../protocol/errors.js";
import type { DatabaseName, UserName } from "../../../protocol/ids.js";
import type { Limits } from "./quota-options.js";

export interface Sizes {
  readonly documents: number;
  readonly bytes: number;
}

export interface DatabaseSizes extends Sizes {
  readonly localDocuments: number;
  readonly localBytes: number;
}

/** Of local documents every user has this much whatever the quota: without its checkpoints a device could not even delete. */
const free = { document: 16 * 1024, bytes: 1024 * 1024, documents: 1000 } as const;

/** Takes back what was counted on; to be called when the write is over, however it ended. */
export type Release = () => void;

const nothing: Release = () => undefined;

export class OwnerUse {
  readonly owner: UserName;
  limits: Limits;
  /** Milliseconds since 1970 until which the sizes may be believed. */
  until = 0;
  readonly #sizes = new Map<DatabaseName, DatabaseSizes>();
  #documents = 0;
  #bytes = 0;
  #localDocuments = 0;
  #localBytes = 0;
  #pendingDocuments = 0;
  #pendingBytes = 0;

  constructor(owner: UserName, limits: Limits) {
    this.owner = owner;
    this.limits = limits;
  }

  get databases(): Iterable<DatabaseName> {
    return this.#sizes.keys();
  }

  get documents(): number {
    return this.#documents + this.#localDocuments;
  }

  get bytes(): number {
    return this.#bytes + this.#localBytes;
  }

  sizesOf(database: DatabaseName): DatabaseSizes | undefined {
    return this.#sizes.get(database);
  }

  set(database: DatabaseName, sizes: DatabaseSizes): void {
    this.#add(this.#sizes.get(database), -1);
    this.#add(sizes, 1);
    this.#sizes.set(database, sizes);
  }

  forget(database: DatabaseName): void {
    this.#add(this.#sizes.get(database), -1);
    this.#sizes.delete(database);
  }

  /** @param exactly asked near the limit only. @throws CouchError document_too_large, insufficient_storage */
  admit(atMost: Sizes, exactly: () => Sizes): Release {
    let more = atMost;
    if (!this.#hasRoom(more)) {
      more = exactly();
      if (!this.#hasRoom(more)) throw this.#refusal(more);
    }
    this.#pendingDocuments += more.documents;
    this.#pendingBytes += more.bytes;
    return () => {
      this.#pendingDocuments -= more.documents;
      this.#pendingBytes -= more.bytes;
    };
  }

  /** @param before of the document, if there is one. @throws CouchError document_too_large, insufficient_storage */
  admitLocal(before: number | undefined, after: number): Release {
    const more = { documents: before === undefined ? 1 : 0, bytes: after - (before ?? 0) };
    const isFree =
      after <= free.document &&
      this.#localDocuments + more.documents <= free.documents &&
      this.#localBytes + more.bytes <= free.bytes;
    return isFree ? nothing : this.admit(more, () => more);
  }

  #hasRoom({ documents, bytes }: Sizes): boolean {
    const { limits } = this;
    // What makes nothing more is never too much, as after limits were lowered.
    return (
      (documents <= 0 || this.documents + this.#pendingDocuments + documents <= limits.documents) &&
      (bytes <= 0 || this.bytes + this.#pendingBytes + bytes <= limits.bytes)
    );
  }

  #refusal({ documents, bytes }: Sizes): CouchError {
    const { limits, owner } = this;
    if (bytes > limits.bytes) {
      const reason = `This needs ${bytes} bytes, and the quota of ${owner} is ${limits.bytes}.`;
      return new CouchError("document_too_large", reason, { detail: this.#detail("bytes", this.bytes) });
    }
    const kind =
      documents > 0 && this.documents + this.#pendingDocuments + documents > limits.documents ? "documents" : "bytes";
    const [used, more] = kind === "documents" ? [this.documents, documents] : [this.bytes, bytes];
    const reason = `The quota of ${owner} is ${limits[kind]} ${kind}: ${used} are used, and this needs ${more} more.`;
    return new CouchError("insufficient_storage", reason, { detail: this.#detail(kind, used) });
  }

  #detail(kind: "documents" | "bytes", used: number) {
    return { quota: { [kind]: { used, limit: this.limits[kind] } } };
  }

  #add(sizes: DatabaseSizes | undefined, sign: 1 | -1): void {
    if (!sizes) return;
    this.#documents += sign * sizes.documents;
    this.#bytes += sign * sizes.bytes;
    this.#localDocuments += sign * sizes.localDocuments;
    this.#localBytes += sign * sizes.localBytes;
  }
}
