/** The sessions of users, in memory as far as they are in use. */
import { LRUCache } from "lru-cache";
import { type DocId, parseDocId } from "../../../protocol/ids.js";
import type { Backend } from "../../backend/backend.js";
import { sessionsDatabase } from "../system-databases.js";
import { keyOfSession, type SessionRecord, sessionKeyOf, sessionPrefix, sessionRange } from "./session-record.js";

/** Users; a session is about 500 bytes. */
const maxUsers = 20_000;
/** Milliseconds. Changes are announced; this bounds the harm when the announcements of a cluster fall behind. */
const cacheLife = 60_000;
const pageSize = 1_000;

/** The sessions of one user, those that have ended and are kept as a note among them. */
export class UserSessions {
  readonly #byId: ReadonlyMap<string, SessionRecord>;
  #byCookie: Map<string, SessionRecord> | undefined;

  constructor(byId: ReadonlyMap<string, SessionRecord>) {
    this.#byId = byId;
  }

  get all(): readonly SessionRecord[] {
    return [...this.#byId.values()];
  }

  get(documentId: string): SessionRecord | undefined {
    return this.#byId.get(documentId);
  }

  /**
   * Of the cookie that carries this time. Two gateways may have made the very same cookie in the same second: an ended
   * session is then the answer, so that a log-out ends the cookie.
   */
  byCookie(madeAt: string): SessionRecord | undefined {
    this.#byCookie ??= this.#indexed();
    return this.#byCookie.get(madeAt);
  }

  #indexed(): Map<string, SessionRecord> {
    const index = new Map<string, SessionRecord>();
    for (const session of this.#byId.values()) {
      if (session.kind !== "cookie") continue;
      for (const { madeAt } of session.cookies) {
        if (session.ended !== undefined || !index.has(madeAt)) index.set(madeAt, session);
      }
    }
    return index;
  }
}

interface Entry {
  sessions: UserSessions;
  byId: Map<string, SessionRecord>;
  /** Changed since they were read. */
  readonly stale: Set<string>;
  readonly until: number;
}

/**
 * Invariant: what `of` answers was read after the last announced change of each of its documents. A change marks its
 * document as stale, in what is kept and in what is being read.
 */
export class SessionTable {
  readonly #backend: Backend;
  readonly #now: () => number;
  readonly #entries = new LRUCache<string, Entry>({ max: maxUsers });
  readonly #reading = new Map<string, { readonly stale: Set<string>; readonly done: Promise<UserSessions> }>();
  readonly #listeners = new Set<(id: string) => void>();
  #unsubscribe: (() => void) | undefined;

  constructor(backend: Backend, now: () => number) {
    this.#backend = backend;
    this.#now = now;
  }

  /** The database `settee_sessions` must exist by now. */
  start(): void {
    this.#unsubscribe = this.#backend.subscribe(sessionsDatabase, ({ id }) => {
      if (!id.startsWith(sessionPrefix)) return;
      this.#mark(id);
      for (const listener of this.#listeners) listener(id);
    });
  }

  close(): void {
    this.#unsubscribe?.();
    this.#listeners.clear();
  }

  /** Tells the document's id of each session that changed. */
  subscribe(listener: (id: string) => void): void {
    this.#listeners.add(listener);
  }

  /** At once when they are in memory. */
  of(user: string): UserSessions | Promise<UserSessions> {
    const key = sessionKeyOf(user);
    const reading = this.#reading.get(key);
    // What it is reading may have changed after its last look.
    if (reading) return reading.stale.size === 0 ? reading.done : reading.done.then(() => this.of(user));
    const entry = this.#entries.get(key);
    if (entry && entry.stale.size === 0 && entry.until > this.#now()) return entry.sessions;
    return this.#read(key);
  }

  /** Past what is kept, for a change that is to be written. */
  read<T extends SessionRecord>(id: DocId): Promise<T | undefined> {
    return this.#backend.getDocument<T>(sessionsDatabase, id);
  }

  /** Durable when it resolves. @throws CouchError conflict */
  async write(session: SessionRecord): Promise<void> {
    try {
      await this.#backend.putDocument(sessionsDatabase, session);
    } finally {
      // The announcement may come later than the answer, and our own caller reads at once.
      this.#mark(session._id);
    }
  }

  #mark(id: string): void {
    const key = keyOfSession(id);
    this.#entries.peek(key)?.stale.add(id);
    this.#reading.get(key)?.stale.add(id);
  }

  #read(key: string): Promise<UserSessions> {
    const entry = this.#entries.get(key);
    const isKept = entry !== undefined && entry.until > this.#now();
    const stale = isKept ? entry.stale : new Set<string>();
    const done = (isKept ? this.#freshen(entry) : this.#load(key, stale)).finally(() => {
      if (this.#reading.get(key)?.done === done) this.#reading.delete(key);
    });
    this.#reading.set(key, { stale, done });
    return done;
  }

  async #load(key: string, stale: Set<string>): Promise<UserSessions> {
    const byId = new Map<string, SessionRecord>();
    const { from, to } = sessionRange(key);
    for (let next = from; ; ) {
      const page = await this.#backend.listDocuments<SessionRecord>(sessionsDatabase, {
        from: next,
        to,
        limit: pageSize,
      });
      for (const session of page) byId.set(session._id, session);
      const last = page.at(-1);
      if (!last || page.length < pageSize) break;
      next = `${last._id}\0`;
    }
    const entry: Entry = { sessions: new UserSessions(byId), byId, stale, until: this.#now() + cacheLife };
    await this.#freshen(entry);
    this.#entries.set(key, entry);
    return entry.sessions;
  }

  /** Reads again what changed, until nothing does. */
  async #freshen(entry: Entry): Promise<UserSessions> {
    while (entry.stale.size > 0) {
      const changed = [...entry.stale];
      entry.stale.clear();
      const byId = new Map(entry.byId);
      try {
        for (const id of changed) {
          const session = await this.read(parseDocId(id));
          if (session) byId.set(id, session);
          else byId.delete(id);
        }
      } catch (error) {
        for (const id of changed) entry.stale.add(id);
        throw error;
      }
      entry.byId = byId;
      entry.sessions = new UserSessions(byId);
    }
    return entry.sessions;
  }
}
