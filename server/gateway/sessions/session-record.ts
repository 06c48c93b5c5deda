/** A session as it stands in `settee_sessions`: one document for each log-in, of a browser or of an app. */
import { createHash, randomBytes } from "node:crypto";
import { LRUCache } from "lru-cache";
import { type DocId, parseDocId } from "../../../protocol/ids.js";
import type { JsonDocument } from "../../backend/backend.js";

export type EndReason = "logged out" | "reused" | "replaced";

/** What a client says of itself when it logs in. */
export interface Device {
  /** As the user knows it: "Ada's phone". */
  readonly name?: string | undefined;
  /** The `User-Agent` header. */
  readonly agent?: string | undefined;
}

/** Times are milliseconds since 1970. */
interface Session extends JsonDocument {
  readonly user: string;
  /** Of the user when the session began: another password, or other roles, end it. */
  readonly fingerprint: string;
  readonly device?: string;
  readonly agent?: string;
  readonly createdAt: number;
  readonly usedAt: number;
  readonly expiresAt: number;
  readonly ended?: EndReason;
}

/** A cookie of a session. Neither the cookie nor its signature is kept: it can be made again from this. */
export interface SessionCookie {
  /** The time that it carries, as it is spelled there. */
  readonly madeAt: string;
  /** It is worth nothing afterwards, whatever the timeout has become since. */
  readonly expiresAt: number;
}

export interface CookieSession extends Session {
  readonly kind: "cookie";
  /** Those that may still be used, the newest last. */
  readonly cookies: readonly SessionCookie[];
}

export interface TokenSession extends Session {
  readonly kind: "token";
  /** SHA-256 of the secret that is to be used next, hexadecimal. */
  readonly current: string;
  readonly previous?: { readonly hash: string; readonly seed: string; readonly usedAt: number };
}

export type SessionRecord = CookieSession | TokenSession;

export const sessionPrefix = "session-";
const keyDigits = 16;
const idBytes = 16;
const maxDevice = 100;
const maxAgent = 200;
/** As clients see it: without the prefix. */
export const sessionIdForm = /^[0-9a-f]{16}-[0-9a-f]{32}$/;

const keys = new LRUCache<string, string>({ max: 20_000 });

/** Begins the ids of all sessions of a user, so that they stand together. */
export function sessionKeyOf(user: string): string {
  let key = keys.get(user);
  if (key === undefined) {
    key = createHash("sha256").update(user).digest("hex").slice(0, keyDigits);
    keys.set(user, key);
  }
  return key;
}

export function newSessionId(user: string): DocId {
  return parseDocId(`${sessionPrefix}${sessionKeyOf(user)}-${randomBytes(idBytes).toString("hex")}`);
}

/** Ids in [from, to). */
export function sessionRange(key: string): { readonly from: string; readonly to: string } {
  return { from: `${sessionPrefix}${key}-`, to: `${sessionPrefix}${key}.` };
}

export function keyOfSession(documentId: string): string {
  return documentId.slice(sessionPrefix.length, sessionPrefix.length + keyDigits);
}

export function publicIdOf({ _id }: Pick<SessionRecord, "_id">): string {
  return _id.slice(sessionPrefix.length);
}

/** @param id of the form of `sessionIdForm` */
export function documentIdOf(id: string): DocId {
  return parseDocId(sessionPrefix + id);
}

export function deviceMembers({ name, agent }: Device): { device?: string; agent?: string } {
  return {
    ...(name ? { device: name.slice(0, maxDevice) } : {}),
    ...(agent ? { agent: agent.slice(0, maxAgent) } : {}),
  };
}

export function isLive(session: SessionRecord, fingerprint: string, now: number): boolean {
  return session.ended === undefined && session.expiresAt > now && session.fingerprint === fingerprint;
}
