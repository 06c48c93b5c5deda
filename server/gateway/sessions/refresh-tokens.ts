/**
 * Refresh tokens: `SESSION.SECRET`. Every use of one gives its successor of the same session; a secret that was used
 * before ends the session, because then two hold it and one of them stole it.
 *
 * The session's document holds no secret, only SHA-256 of the current one and the one before. The successor is an HMAC
 * of a random seed, which the document keeps, keyed with the secret it succeeds, which only the client has: neither a
 * copy of the database nor an old token alone gives a new token, but a client whose answer got lost may ask again within
 * the grace and is given the very same successor. So two requests at once with one token agree as well: one writes, the
 * other meets the conflict, reads again and answers alike.
 */
import { createHash, createHmac, randomBytes } from "node:crypto";
import type { DocId } from "../../../protocol/ids.js";
import { sameSecret } from "../constant-time.js";
import { lifeFor, type TokenLives } from "../keys/token-lives.js";
import type { Principal, Principals } from "../principals.js";
import { retryConflicts } from "../retry-conflicts.js";
import type { Fingerprints } from "./fingerprints.js";
import {
  type Device,
  deviceMembers,
  documentIdOf,
  newSessionId,
  publicIdOf,
  sessionIdForm,
  type TokenSession,
} from "./session-record.js";
import type { SessionTable } from "./session-table.js";
import { endedSession, type Sessions } from "./sessions.js";

export interface RefreshTokensParts {
  readonly table: SessionTable;
  readonly sessions: Sessions;
  readonly principals: Principals;
  readonly fingerprints: Fingerprints;
  /** From its making a token lives as long as its user's roles say. */
  readonly lives: TokenLives;
  /** Milliseconds after its use in which a token may be used again. */
  readonly grace: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export interface IssuedToken {
  readonly principal: Principal;
  readonly token: string;
  /** Of its session. */
  readonly sessionId: string;
}

interface ParsedToken {
  readonly id: DocId;
  readonly secret: Buffer;
}

const secretBytes = 32;
const secretForm = /^[A-Za-z0-9_-]{43}$/;

export class RefreshTokens {
  readonly #parts: RefreshTokensParts;

  constructor(parts: RefreshTokensParts) {
    this.#parts = parts;
  }

  /** Begins a session for somebody who has just logged in. @returns its first token */
  async issue(principal: Principal, device: Device): Promise<IssuedToken> {
    const { table, sessions, fingerprints, now } = this.#parts;
    const id = newSessionId(principal.name);
    const secret = randomBytes(secretBytes);
    const createdAt = now();
    const before = await table.of(principal.name);
    await table.write({
      _id: id,
      kind: "token",
      user: principal.name,
      fingerprint: fingerprints.of(principal),
      ...deviceMembers(device),
      current: hashOf(secret),
      createdAt,
      usedAt: createdAt,
      expiresAt: createdAt + this.#lifeOf(principal),
    });
    await sessions.makeRoom(principal, before);
    return issued(principal, id, secret);
  }

  /** Undefined when the token is worth nothing (any more). */
  refresh(token: string): Promise<IssuedToken | undefined> {
    const parsed = parseToken(token);
    return parsed ? retryConflicts(() => this.#use(parsed)) : Promise.resolve(undefined);
  }

  /** Ends the token's session. A token that is worth nothing already is no error, as RFC 7009 wants it. */
  async revoke(token: string): Promise<void> {
    const parsed = parseToken(token);
    if (!parsed) return;
    const { table } = this.#parts;
    await retryConflicts(async () => {
      const session = await table.read(parsed.id);
      if (session?.kind === "token" && !session.ended) await table.write(endedSession(session, "logged out"));
    });
  }

  async #use({ id, secret }: ParsedToken): Promise<IssuedToken | undefined> {
    const { table, sessions, principals, grace, now } = this.#parts;
    const session = await table.read(id);
    const principal = session && (await principals.find(session.user));
    if (!principal || session.kind !== "token" || !sessions.isLive(session, principal)) return undefined;

    const hash = hashOf(secret);
    const time = now();
    if (sameSecret(hash, session.current)) {
      const seed = randomBytes(secretBytes).toString("hex");
      const successor = successorOf(secret, seed);
      await table.write(rotated(session, { hash, seed, successor, time, life: this.#lifeOf(principal) }));
      return issued(principal, id, successor);
    }

    const { previous } = session;
    if (previous && sameSecret(hash, previous.hash) && time <= previous.usedAt + grace) {
      return issued(principal, id, successorOf(secret, previous.seed));
    }
    // Nobody but a holder of one of its tokens knows the session's id and has such a secret: it is an older one of them.
    await table.write(endedSession(session, "reused"));
    return undefined;
  }

  #lifeOf({ roles }: Principal): number {
    return lifeFor(roles, this.#parts.lives).refreshSeconds * 1000;
  }
}

interface Rotation {
  readonly hash: string;
  readonly seed: string;
  readonly successor: Buffer;
  readonly time: number;
  readonly life: number;
}

function rotated(session: TokenSession, { hash, seed, successor, time, life }: Rotation): TokenSession {
  return {
    ...session,
    current: hashOf(successor),
    previous: { hash, seed, usedAt: time },
    usedAt: time,
    expiresAt: time + life,
  };
}

function issued(principal: Principal, id: DocId, secret: Buffer): IssuedToken {
  const sessionId = publicIdOf({ _id: id });
  return { principal, token: `${sessionId}.${secret.toString("base64url")}`, sessionId };
}

function parseToken(token: string): ParsedToken | undefined {
  const dot = token.indexOf(".");
  const [id, secret] = [token.slice(0, Math.max(dot, 0)), token.slice(dot + 1)];
  if (!sessionIdForm.test(id) || !secretForm.test(secret)) return undefined;
  return { id: documentIdOf(id), secret: Buffer.from(secret, "base64url") };
}

function successorOf(secret: Buffer, seed: string): Buffer {
  return createHmac("sha256", secret).update(seed).digest();
}

function hashOf(secret: Buffer): string {
  return createHash("sha256").update(secret).digest("hex");
}
