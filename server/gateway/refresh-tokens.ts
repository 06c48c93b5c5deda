/**
 * Refresh tokens: `FAMILY.SECRET`. Every use of one gives its successor of the same family; a secret that was used
 * before ends the family, because then two hold it and one of them stole it.
 *
 * The family is one document of `settee_sessions` and holds no secret, only SHA-256 of the current one and the one
 * before. The successor is an HMAC of a random seed, which the document keeps, keyed with the secret it succeeds, which
 * only the client has: neither a copy of the database nor an old token alone gives a new token, but a client whose answer
 * got lost may ask again within the grace and is given the very same successor. So two requests at once with one token
 * agree as well: one writes, the other meets the conflict, reads again and answers alike.
 */
import { createHash, createHmac, randomBytes } from "node:crypto";
import { type DocId, parseDocId } from "../../protocol/ids.js";
import type { Backend, JsonDocument } from "../backend/backend.js";
import { sameSecret } from "./constant-time.js";
import type { Fingerprints } from "./fingerprints.js";
import type { Principal, Principals } from "./principals.js";
import { retryConflicts } from "./retry-conflicts.js";
import { sessionsDatabase } from "./system-databases.js";

export interface RefreshTokenOptions {
  /** Milliseconds for which a token lives, from its making. */
  readonly life: number;
  /** Milliseconds after its use in which a token may be used again. */
  readonly grace: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export interface Refreshed {
  readonly principal: Principal;
  readonly token: string;
}

interface Family extends JsonDocument {
  readonly user: string;
  /** Of the user's password when they logged in: a new password ends the family. */
  readonly fingerprint: string;
  /** SHA-256 of the secret that is to be used next, hexadecimal. */
  readonly current: string;
  readonly previous?: { readonly hash: string; readonly seed: string; readonly usedAt: number };
  /** Milliseconds since 1970, as the other times here. */
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly ended?: "reused" | "revoked" | "password";
}

interface ParsedToken {
  readonly id: DocId;
  readonly secret: Buffer;
}

const prefix = "refresh-";
const familyBytes = 16;
const secretBytes = 32;
const form = /^([0-9a-f]{32})\.([A-Za-z0-9_-]{43})$/;

export class RefreshTokens {
  readonly #backend: Backend;
  readonly #principals: Principals;
  readonly #fingerprints: Fingerprints;
  readonly #options: RefreshTokenOptions;

  constructor(backend: Backend, principals: Principals, fingerprints: Fingerprints, options: RefreshTokenOptions) {
    this.#backend = backend;
    this.#principals = principals;
    this.#fingerprints = fingerprints;
    this.#options = options;
  }

  /** Begins a family for somebody who has just logged in. @returns its first token */
  async issue(principal: Principal): Promise<string> {
    const id = parseDocId(prefix + randomBytes(familyBytes).toString("hex"));
    const secret = randomBytes(secretBytes);
    const now = this.#options.now();
    const family: Family = {
      _id: id,
      user: principal.name,
      fingerprint: this.#fingerprints.of(principal),
      current: hashOf(secret),
      createdAt: now,
      expiresAt: now + this.#options.life,
    };
    await this.#backend.putDocument(sessionsDatabase, family);
    return tokenOf(id, secret);
  }

  /** Undefined when the token is worth nothing (any more). */
  refresh(token: string): Promise<Refreshed | undefined> {
    const parsed = parseToken(token);
    return parsed ? retryConflicts(() => this.#use(parsed)) : Promise.resolve(undefined);
  }

  /** Ends the token's family. A token that is worth nothing already is no error, as RFC 7009 wants it. */
  async revoke(token: string): Promise<void> {
    const parsed = parseToken(token);
    if (!parsed) return;
    await retryConflicts(async () => {
      const family = await this.#read(parsed.id);
      if (family) await this.#end(family, "revoked");
    });
  }

  async #use({ id, secret }: ParsedToken): Promise<Refreshed | undefined> {
    const family = await this.#read(id);
    const now = this.#options.now();
    if (!family || family.ended || family.expiresAt <= now) return undefined;

    const principal = await this.#principals.find(family.user);
    if (!principal || this.#fingerprints.of(principal) !== family.fingerprint) {
      await this.#end(family, "password");
      return undefined;
    }

    const hash = hashOf(secret);
    if (sameSecret(hash, family.current)) {
      const seed = randomBytes(secretBytes).toString("hex");
      const successor = successorOf(secret, seed);
      await this.#backend.putDocument(sessionsDatabase, {
        ...family,
        current: hashOf(successor),
        previous: { hash, seed, usedAt: now },
        expiresAt: now + this.#options.life,
      });
      return { principal, token: tokenOf(id, successor) };
    }

    const { previous } = family;
    if (previous && sameSecret(hash, previous.hash) && now <= previous.usedAt + this.#options.grace) {
      return { principal, token: tokenOf(id, successorOf(secret, previous.seed)) };
    }
    // Nobody but a holder of one of its tokens knows the family's id: whatever this is, it is an older one of them.
    await this.#end(family, "reused");
    return undefined;
  }

  #read(id: DocId): Promise<Family | undefined> {
    return this.#backend.getDocument<Family>(sessionsDatabase, id);
  }

  /** The document stays until its time is over, as a note of what happened. */
  async #end(family: Family, ended: NonNullable<Family["ended"]>): Promise<void> {
    if (family.ended) return;
    const { previous: _previous, ...rest } = family;
    await this.#backend.putDocument(sessionsDatabase, { ...rest, _id: family._id, current: "", ended });
  }
}

function parseToken(token: string): ParsedToken | undefined {
  const match = form.exec(token);
  if (!match) return undefined;
  return { id: parseDocId(prefix + match[1]), secret: Buffer.from(match[2] as string, "base64url") };
}

function tokenOf(id: DocId, secret: Buffer): string {
  return `${id.slice(prefix.length)}.${secret.toString("base64url")}`;
}

function successorOf(secret: Buffer, seed: string): Buffer {
  return createHmac("sha256", secret).update(seed).digest();
}

function hashOf(secret: Buffer): string {
  return createHash("sha256").update(secret).digest("hex");
}
