/**
 * The `AuthSession` cookie as CouchDB makes it: base64url of `NAME:HEXTIME:` and an HMAC-SHA256 of what stands before
 * it, keyed with the server's secret and the salt of the user's password, so that a new password ends every session.
 */
import { createHmac } from "node:crypto";
import { CouchError } from "../../protocol/errors.js";
import { sameSecret } from "./constant-time.js";
import type { Principal } from "./principals.js";

export interface CookieOptions {
  readonly secret: string;
  /** Life of a session in seconds, from its last renewal. */
  seconds: number;
  readonly sameSite?: "Strict" | "Lax" | "None";
  /** Says `Secure` always, and not only in answers over TLS. */
  readonly secure: boolean;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** A cookie that could be read; nothing is known yet of whether it is genuine. */
export interface ClaimedSession {
  readonly name: string;
  /** Seconds since 1970 at which it was made, as hexadecimal text. */
  readonly madeAt: string;
  readonly signature: Buffer;
}

export type SessionState = "fresh" | "renew" | "refused";

const cookieName = "AuthSession";
const base64Url = /^[A-Za-z0-9_-]+={0,2}$/;
const hexadecimal = /^[0-9A-Fa-f]{1,12}$/;
/** CouchDB renews once this share of the life is all that is left. */
const renewBelow = 0.9;

export class CookieSessions {
  readonly #options: CookieOptions;

  constructor(options: CookieOptions) {
    this.#options = { ...options };
  }

  /** Another life for sessions from now on, also for those that have begun. */
  set seconds(seconds: number) {
    this.#options.seconds = seconds;
  }

  /** The life of a cookie, in milliseconds. */
  get life(): number {
    return this.#options.seconds * 1000;
  }

  /** A `Set-Cookie` header that begins or renews a session. @param overTls the answer goes over TLS */
  make(principal: Principal, overTls: boolean): string {
    const claim = `${principal.name}:${this.#seconds().toString(16).toUpperCase()}`;
    const signature = this.#sign(claim, principal);
    const value = Buffer.concat([Buffer.from(`${claim}:`, "utf8"), signature]).toString("base64url");
    return this.#header(value, overTls);
  }

  /** A `Set-Cookie` header that takes the cookie away. */
  clear(overTls: boolean): string {
    return this.#header("", overTls);
  }

  /** @param header the request's `Cookie` header. @throws CouchError bad_request when the cookie makes no sense */
  read(header: string | undefined): ClaimedSession | undefined {
    const value = header && cookieValue(header);
    if (!value) return undefined;
    const bytes = base64Url.test(value) ? Buffer.from(value, "base64url") : Buffer.alloc(0);
    const first = bytes.indexOf(":");
    const second = bytes.indexOf(":", first + 1);
    if (first < 0 || second < 0) {
      throw new CouchError("bad_request", "Malformed AuthSession cookie. Please clear your cookies.");
    }
    return {
      name: bytes.toString("utf8", 0, first),
      madeAt: bytes.toString("latin1", first + 1, second),
      signature: bytes.subarray(second + 1),
    };
  }

  /** Whether the session is `principal`'s, whose name it claims. */
  check(session: ClaimedSession, principal: Principal): SessionState {
    if (!principal.password || session.name !== principal.name || !hexadecimal.test(session.madeAt)) return "refused";
    const left = Number.parseInt(session.madeAt, 16) + this.#options.seconds - this.#seconds();
    if (left <= 0) return "refused";
    const expected = this.#sign(`${session.name}:${session.madeAt}`, principal);
    if (!sameSecret(session.signature, expected)) return "refused";
    return left < this.#options.seconds * renewBelow ? "renew" : "fresh";
  }

  #sign(claim: string, principal: Principal): Buffer {
    const key = this.#options.secret + (principal.password?.salt ?? "");
    return createHmac("sha256", key).update(claim).digest();
  }

  #header(value: string, overTls: boolean): string {
    const { seconds, sameSite, secure } = this.#options;
    const expires = new Date(this.#options.now() + this.life).toUTCString();
    return (
      `${cookieName}=${value}; Version=1; Expires=${expires}; Max-Age=${seconds}; Path=/` +
      (secure || overTls ? "; Secure" : "") +
      "; HttpOnly" +
      (sameSite ? `; SameSite=${sameSite}` : "")
    );
  }

  #seconds(): number {
    return Math.floor(this.#options.now() / 1000);
  }
}

function cookieValue(header: string): string | undefined {
  for (const part of header.split(";")) {
    const [name, value] = splitOnce(part, "=");
    if (name.trim() === cookieName) return value?.trim().replace(/^"(.*)"$/, "$1");
  }
  return undefined;
}

function splitOnce(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}
