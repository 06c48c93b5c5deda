/**
 * Cookies that were logged out. CouchDB's cookie works until its time is over, logged out or not; here a log-out is
 * one. Each is a small document of `settee_sessions`, so that every gateway over the same databases knows.
 */
import { createHash } from "node:crypto";
import { LRUCache } from "lru-cache";
import { parseDocId } from "../../protocol/ids.js";
import type { Backend, JsonDocument } from "../backend/backend.js";
import type { ClaimedSession } from "./cookie-sessions.js";
import { isConflict } from "./retry-conflicts.js";
import { sessionsDatabase } from "./system-databases.js";

interface EndedCookie extends JsonDocument {
  /** Milliseconds since 1970 after which the cookie would be worth nothing anyway. */
  readonly expiresAt: number;
}

const prefix = "cookie-";
/** After `-` in the order of ids: the end of the range of those that begin with the prefix. */
const afterPrefix = "cookie.";
const pageSize = 1_000;
/** Those of the last ten minutes; a flood of log-outs costs the oldest of them, which had the least time left. */
const maxEnded = 100_000;

export class EndedCookies {
  readonly #backend: Backend;
  readonly #ended = new LRUCache<string, true>({ max: maxEnded });
  #unsubscribe: (() => void) | undefined;

  constructor(backend: Backend) {
    this.#backend = backend;
  }

  async start(): Promise<void> {
    this.#unsubscribe = this.#backend.subscribe(sessionsDatabase, ({ id, deleted }) => {
      if (!id.startsWith(prefix)) return;
      if (deleted) this.#ended.delete(id);
      else this.#ended.set(id, true);
    });
    for (let from = prefix; ; ) {
      const range = { from, to: afterPrefix, limit: pageSize };
      const page = await this.#backend.listDocuments<EndedCookie>(sessionsDatabase, range);
      for (const { _id } of page) this.#ended.set(_id, true);
      const last = page.at(-1);
      if (!last || page.length < pageSize) return;
      from = `${last._id}\0`;
    }
  }

  close(): void {
    this.#unsubscribe?.();
  }

  has(session: ClaimedSession): boolean {
    return this.#ended.size > 0 && this.#ended.has(idOf(session));
  }

  async add(session: ClaimedSession, expiresAt: number): Promise<void> {
    const id = idOf(session);
    this.#ended.set(id, true);
    const document: EndedCookie = { _id: id, expiresAt };
    try {
      await this.#backend.putDocument(sessionsDatabase, document);
    } catch (error) {
      // Logged out twice.
      if (!isConflict(error)) throw error;
    }
  }
}

/** By what was signed and the signature, not by the cookie's text: base64 has more than one spelling. */
function idOf({ name, madeAt, signature }: ClaimedSession): string {
  const hash = createHash("sha256").update(`${name}:${madeAt}:`).update(signature).digest("hex");
  return parseDocId(prefix + hash);
}
