/** What becomes of sessions: they begin at a log-in, are renewed, listed and ended. */
import type { DocId, UserName } from "../../../protocol/ids.js";
import type { Principal } from "../principals.js";
import { retryConflicts } from "../retry-conflicts.js";
import type { Fingerprints } from "./fingerprints.js";
import type { SessionCookies } from "./session-cookies.js";
import {
  type CookieSession,
  type Device,
  deviceMembers,
  type EndReason,
  isLive,
  newSessionId,
  type SessionRecord,
} from "./session-record.js";
import type { SessionTable, UserSessions } from "./session-table.js";

export interface SessionsParts {
  readonly table: SessionTable;
  readonly cookies: SessionCookies;
  readonly fingerprints: Fingerprints;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export type EndedSessions = "here" | "elsewhere" | "everywhere";

/** Of one user: a script that logs in for each request must not fill the disk. The one that was used least lately ends. */
const maxLive = 1_000;

export class Sessions {
  readonly #parts: SessionsParts;
  /** Users and times of cookies that are being written. */
  readonly #writing = new Set<string>();
  readonly #renewing = new Map<string, Promise<string | undefined>>();

  constructor(parts: SessionsParts) {
    this.#parts = parts;
  }

  /** Begins a session for somebody who has just logged in. @returns its `Set-Cookie` header */
  async beginWithCookie(principal: Principal, device: Device, overTls: boolean): Promise<string> {
    const { table, cookies, fingerprints, now } = this.#parts;
    const before = await table.of(principal.name);
    const madeAt = await this.#withNewTime(principal, before, async (madeAt) => {
      const createdAt = now();
      const expiresAt = createdAt + cookies.life;
      await table.write({
        _id: newSessionId(principal.name),
        kind: "cookie",
        user: principal.name,
        fingerprint: fingerprints.of(principal),
        ...deviceMembers(device),
        createdAt,
        usedAt: createdAt,
        expiresAt,
        cookies: [{ madeAt, expiresAt }],
      });
    });
    await this.makeRoom(principal, before);
    return cookies.make(principal, madeAt, overTls);
  }

  /** Calls `write` with a time that no other cookie of the user has, nor one that is being written. @returns the time */
  async #withNewTime(
    { name }: Principal,
    sessions: UserSessions,
    write: (madeAt: string) => Promise<void>,
  ): Promise<string> {
    const writing = (time: string): string => `${name}:${time}`;
    const madeAt = this.#parts.cookies.newTime(
      (time) => this.#writing.has(writing(time)) || sessions.byCookie(time) !== undefined,
    );
    this.#writing.add(writing(madeAt));
    try {
      await write(madeAt);
    } finally {
      this.#writing.delete(writing(madeAt));
    }
    return madeAt;
  }

  /** The session of a cookie whose signature is right, unless it has ended. At once when it is in memory. */
  ofCookie(principal: Principal, madeAt: string): CookieSession | undefined | Promise<CookieSession | undefined> {
    const sessions = this.#parts.table.of(principal.name);
    return sessions instanceof Promise
      ? sessions.then((found) => this.#liveOfCookie(found, principal, madeAt))
      : this.#liveOfCookie(sessions, principal, madeAt);
  }

  #liveOfCookie(sessions: UserSessions, principal: Principal, madeAt: string): CookieSession | undefined {
    const session = sessions.byCookie(madeAt);
    if (session?.kind !== "cookie" || !this.isLive(session, principal)) return undefined;
    const cookie = session.cookies.find((each) => each.madeAt === madeAt);
    return cookie !== undefined && cookie.expiresAt > this.#parts.now() ? session : undefined;
  }

  isLive(session: SessionRecord, principal: Principal): boolean {
    const { fingerprints, now } = this.#parts;
    return isLive(session, fingerprints.of(principal), now());
  }

  /**
   * A `Set-Cookie` header with a younger cookie of the same session. Requests that come together are given the same one.
   * Undefined when the session ended meanwhile.
   */
  renew(
    session: CookieSession,
    principal: Principal,
    overTls: boolean,
  ): string | undefined | Promise<string | undefined> {
    const { cookies } = this.#parts;
    // A client that keeps to its first cookie is told the younger one each time, and costs no reading.
    const newest = session.cookies.at(-1);
    if (newest && cookies.isFresh(newest.madeAt)) return cookies.make(principal, newest.madeAt, overTls);
    let renewing = this.#renewing.get(session._id);
    if (!renewing) {
      renewing = this.#renew(session._id as DocId, principal).finally(() => this.#renewing.delete(session._id));
      this.#renewing.set(session._id, renewing);
    }
    return renewing.then((madeAt) => (madeAt === undefined ? undefined : cookies.make(principal, madeAt, overTls)));
  }

  #renew(id: DocId, principal: Principal): Promise<string | undefined> {
    const { table, cookies, now } = this.#parts;
    return retryConflicts(async () => {
      const session = await table.read<CookieSession>(id);
      if (!session || !this.isLive(session, principal)) return undefined;
      const newest = session.cookies.at(-1);
      if (newest && cookies.isFresh(newest.madeAt)) return newest.madeAt;
      return this.#withNewTime(principal, await table.of(principal.name), async (madeAt) => {
        const usedAt = now();
        const expiresAt = usedAt + cookies.life;
        const usable = session.cookies.filter((cookie) => cookie.expiresAt > usedAt);
        await table.write({ ...session, usedAt, expiresAt, cookies: [...usable, { madeAt, expiresAt }] });
      });
    });
  }

  /** Those of the user that have not ended, the one used last first. */
  async list(principal: Principal): Promise<readonly SessionRecord[]> {
    const sessions = await this.#parts.table.of(principal.name);
    return sessions.all.filter((session) => this.isLive(session, principal)).sort((a, b) => b.usedAt - a.usedAt);
  }

  /** @returns false when the user has no such session */
  async end(user: UserName, id: DocId, reason: EndReason): Promise<boolean> {
    const { table } = this.#parts;
    return retryConflicts(async () => {
      const session = await table.read(id);
      if (!session || session.user !== user || session.ended !== undefined) return false;
      await table.write(endedSession(session, reason));
      return true;
    });
  }

  /** All of the user but `except`. @returns how many ended */
  async endAll(user: UserName, except?: DocId): Promise<number> {
    const sessions = await this.#parts.table.of(user);
    let count = 0;
    for (const { _id, ended } of sessions.all) {
      if (_id === except || ended !== undefined) continue;
      if (await this.end(user, _id as DocId, "logged out")) count++;
    }
    return count;
  }

  /** Ends what is too much. @param before as it was before the last one began */
  async makeRoom(principal: Principal, before: UserSessions): Promise<void> {
    if (before.all.length < maxLive) return;
    const live = await this.list(principal);
    for (const { _id } of live.slice(maxLive)) await this.end(principal.name, _id as DocId, "replaced");
  }
}

/** Stays until its time is over, as a note of what happened, and so that a cookie that two share is known to be dead. */
export function endedSession(session: SessionRecord, ended: EndReason): SessionRecord {
  if (session.kind === "cookie") return { ...session, ended };
  const { previous: _previous, ...rest } = session;
  return { ...rest, current: "", ended };
}
