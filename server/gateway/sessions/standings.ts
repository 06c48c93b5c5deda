/**
 * Whether what a caller was let in for still holds, for answers that outlive their request: a feed ends when its caller
 * logs out, gets another password or other roles, or is deleted.
 */
import type { UserName } from "../../../protocol/ids.js";
import type { Backend } from "../../backend/backend.js";
import { userDocumentPrefix } from "../accounts.js";
import type { Admins } from "../admins.js";
import type { Principal, Principals } from "../principals.js";
import { usersDatabase } from "../system-databases.js";
import type { Fingerprints } from "./fingerprints.js";
import { keyOfSession, type SessionRecord, sessionKeyOf } from "./session-record.js";
import type { SessionTable } from "./session-table.js";
import type { Sessions } from "./sessions.js";

/** What the identity of a caller stands on. */
export interface Standing {
  readonly name: UserName;
  /** Of the user when the credentials were looked at. */
  readonly fingerprint: string;
  /** The document of the caller's session. Absent where each request brings a password. */
  readonly session?: SessionRecord["_id"];
  /** Milliseconds since 1970. For what no session of ours stands behind. */
  readonly until?: number;
}

export interface StandingsParts {
  readonly backend: Backend;
  readonly admins: Admins;
  readonly principals: Principals;
  readonly fingerprints: Fingerprints;
  readonly table: SessionTable;
  readonly sessions: Sessions;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly onError: (error: unknown) => void;
}

interface Watch {
  readonly standing: Standing;
  readonly end: () => void;
  /** Not looked at again before, unless something is announced. */
  until: number;
}

/** Milliseconds between two looks at whose time is over: one comparison for each feed. */
const sweepInterval = 5_000;
/** Before others have their turn. */
const looksInTurn = 200;

export class Standings {
  readonly #parts: StandingsParts;
  /** By session key of the user: announcements of sessions and of accounts both lead to it. */
  readonly #watches = new Map<string, Set<Watch>>();
  readonly #due = new Set<Watch>();
  #sweeping: NodeJS.Timeout | undefined;
  #unsubscribe: (() => void) | undefined;
  #looking = false;

  constructor(parts: StandingsParts) {
    this.#parts = parts;
  }

  /** After the parts have subscribed to the same databases. */
  start(): void {
    const { backend, admins, table } = this.#parts;
    this.#unsubscribe = backend.subscribe(usersDatabase, ({ id }) => {
      if (id.startsWith(userDocumentPrefix)) this.#lookWhere(sessionKeyOf(id.slice(userDocumentPrefix.length)));
    });
    table.subscribe((id) => this.#lookWhere(keyOfSession(id), ({ standing }) => standing.session === id));
    admins.subscribe(() => {
      for (const key of this.#watches.keys()) this.#lookWhere(key);
    });
    this.#sweeping = setInterval(() => this.#sweep(), sweepInterval).unref();
  }

  close(): void {
    clearInterval(this.#sweeping);
    this.#unsubscribe?.();
    this.#watches.clear();
  }

  /** Calls `end`, once, when `standing` holds no more. The result takes that back. */
  watch(standing: Standing, end: () => void): () => void {
    const key = sessionKeyOf(standing.name);
    const watches = this.#watches.get(key) ?? new Set();
    this.#watches.set(key, watches);
    const watch = { standing, end, until: 0 };
    watches.add(watch);
    // What ended between the look at the credentials and now was announced to nobody.
    this.#look(watch);
    return () => this.#forget(watch);
  }

  #sweep(): void {
    const now = this.#parts.now();
    for (const key of this.#watches.keys()) this.#lookWhere(key, ({ until }) => until <= now);
  }

  #lookWhere(key: string, isMeant: (watch: Watch) => boolean = () => true): void {
    for (const watch of this.#watches.get(key) ?? []) if (isMeant(watch)) this.#look(watch);
  }

  /** In a later turn: many announcements cost one look. */
  #look(watch: Watch): void {
    this.#due.add(watch);
    if (this.#looking) return;
    this.#looking = true;
    setImmediate(() => void this.#lookAtDue());
  }

  async #lookAtDue(): Promise<void> {
    let looked = 0;
    for (const watch of this.#due) {
      this.#due.delete(watch);
      await this.#lookAt(watch).catch((error: unknown) => {
        // The next sweep looks again.
        watch.until = 0;
        this.#parts.onError(error);
      });
      if (++looked % looksInTurn === 0) await new Promise(setImmediate);
    }
    this.#looking = false;
  }

  async #lookAt(watch: Watch): Promise<void> {
    const until = await this.#holdsUntil(watch.standing);
    if (!this.#watches.get(sessionKeyOf(watch.standing.name))?.has(watch)) return;
    watch.until = until;
    if (until > this.#parts.now()) return;
    this.#forget(watch);
    watch.end();
  }

  #forget(watch: Watch): void {
    const key = sessionKeyOf(watch.standing.name);
    const watches = this.#watches.get(key);
    watches?.delete(watch);
    if (watches?.size === 0) this.#watches.delete(key);
  }

  /** Milliseconds since 1970; the past when it does not hold. */
  async #holdsUntil({ name, fingerprint, session: id, until }: Standing): Promise<number> {
    const { principals, fingerprints, table, sessions } = this.#parts;
    const principal: Principal | undefined = await principals.find(name);
    if (!principal || fingerprints.of(principal) !== fingerprint) return 0;
    if (id === undefined) return until ?? Number.POSITIVE_INFINITY;
    const session = (await table.of(name)).get(id);
    return session && sessions.isLive(session, principal) ? session.expiresAt : 0;
  }
}
