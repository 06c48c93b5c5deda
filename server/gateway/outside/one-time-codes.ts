/**
 * What an app is given when its user comes back from an outside log-in: a code that it turns into tokens, or into a link
 * with the account of whoever is logged in. It works once, for a minute, and for the app alone that began the log-in: the
 * app keeps a verifier whose hash it sent along (PKCE, RFC 7636).
 */
import { createHash, randomBytes } from "node:crypto";
import { parseDocId } from "../../../protocol/ids.js";
import type { Backend, JsonDocument } from "../../backend/backend.js";
import { sameSecret } from "../constant-time.js";
import { isConflict } from "../retry-conflicts.js";
import { sessionsDatabase } from "../system-databases.js";
import type { OutsideIdentity } from "./outside-accounts.js";

/** Somebody whom a provider vouched for. */
export interface Vouched {
  readonly identity: OutsideIdentity;
  /** For whom there is no account yet one may be made. */
  readonly createAccounts: boolean;
}

interface CodeDocument extends JsonDocument, Vouched {
  readonly challenge: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

const prefix = "code-";
const codeBytes = 32;
const life = 60_000;
/** Base64url of a SHA-256. */
export const challengeForm = /^[A-Za-z0-9_-]{43}$/;
const verifierForm = /^[A-Za-z0-9._~-]{43,128}$/;

export class OneTimeCodes {
  readonly #backend: Backend;
  readonly #now: () => number;

  /** @param now milliseconds since 1970 */
  constructor(backend: Backend, now: () => number) {
    this.#backend = backend;
    this.#now = now;
  }

  /** @param challenge of `challengeForm` */
  async make(vouched: Vouched, challenge: string): Promise<string> {
    const code = randomBytes(codeBytes).toString("base64url");
    const expiresAt = this.#now() + life;
    const document: CodeDocument = { _id: idOf(code), ...vouched, challenge, expiresAt };
    await this.#backend.putDocument(sessionsDatabase, document);
    return code;
  }

  /** Undefined for a code that is worth nothing. Whatever comes of it, it is worth nothing afterwards. */
  async take(code: string, verifier: string): Promise<Vouched | undefined> {
    const document = await this.#backend.getDocument<CodeDocument>(sessionsDatabase, parseDocId(idOf(code)));
    if (!document) return undefined;
    try {
      const { _id, _rev } = document;
      await this.#backend.putDocument(sessionsDatabase, { _id, _rev: _rev as string, _deleted: true });
    } catch (error) {
      // Somebody else was faster.
      if (isConflict(error)) return undefined;
      throw error;
    }
    const { identity, createAccounts, challenge, expiresAt } = document;
    const isProved = verifierForm.test(verifier) && sameSecret(challengeOf(verifier), challenge);
    return isProved && expiresAt > this.#now() ? { identity, createAccounts } : undefined;
  }
}

function idOf(code: string): string {
  return prefix + createHash("sha256").update(code).digest("hex");
}

function challengeOf(verifier: string): string {
  return createHash("sha256").update(verifier).digest("base64url");
}
