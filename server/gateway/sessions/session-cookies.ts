/**
 * The `AuthSession` cookie as CouchDB makes it: base64url of `NAME:HEXTIME:` and an HMAC-SHA256 of what stands before
 * it, keyed with the server's secret and the salt of the user's password, so that a new password ends every session.
 */
import { createHmac } from "node:crypto";
import { LRUCache } from "lru-cache";
import { CouchError } from "../../../protocol/errors.js";
import { sameSecret } from "../constant-time.js";
import { type Principal, saltOf } from "../principals.js";

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
export interface ClaimedCookie {
  readonly name: string;
  /** Seconds since 1970 at which it was made, as hexadecimal text. */
  readonly madeAt: string;
  readonly signature: Buffer;
  /** As it came. */
  readonly value: string;
  /** The user, as they are now, whose signature was found right before. */
  readonly signedFor: Principal | undefined;
}

export type CookieState = "fresh" | "renew" | "refused";

const maxGenuine = 10_000;
const cookieName = "AuthSession";
const base64Url = /^[A-Za-z0-9_-]+={0,2}$/;
const hexadecimal = /^[0-9A-Fa-f]{1,12}$/;
/** CouchDB renews once this share of the life is all that is left. */
const renewBelow = 0.9;
/** Spellings of one second, and seconds that a cookie may be antedated by, where others have the same. */
const spellings = 4;
const antedated = 16;

export class SessionCookies {
  readonly #options: CookieOptions;
  /** A browser sends the same cookie again and again. About 500 bytes each. */
  readonly #genuine = new LRUCache<string, ClaimedCookie>({ max: maxGenuine });

  constructor(options: CookieOptions) {
    this.#options = { ...options };
  }

  /** Another life for cookies from now on; those that were made before are ended by the shorter of the two. */
  set seconds(seconds: number) {
    this.#options.seconds = seconds;
  }

  /** The life of a cookie, in milliseconds. */
  get life(): number {
    return this.#options.seconds * 1000;
  }

  /**
   * The time for a new cookie. The cookie follows from user and time, so that two log-ins of one second would share
   * theirs, and log each other out: a time that is taken is spelled with leading zeros, which CouchDB reads as well.
   */
  newTime(isTaken: (madeAt: string) => boolean): string {
    const now = this.#seconds();
    for (let back = 0; back < antedated; back++) {
      const hex = (now - back).toString(16).toUpperCase();
      for (let zeros = 0; zeros < spellings; zeros++) {
        const time = "0".repeat(zeros) + hex;
        if (!isTaken(time)) return time;
      }
    }
    // Shared after all: whoever of the two logs out ends both.
    return now.toString(16).toUpperCase();
  }

  /** A `Set-Cookie` header that begins or renews a session. @param overTls the answer goes over TLS */
  make(principal: Principal, madeAt: string, overTls: boolean): string {
    const claim = `${principal.name}:${madeAt}`;
    const value = Buffer.concat([Buffer.from(`${claim}:`, "utf8"), this.#sign(claim, principal)]).toString("base64url");
    return this.#header(value, overTls);
  }

  /** A `Set-Cookie` header that takes the cookie away. */
  clear(overTls: boolean): string {
    return this.#header("", overTls);
  }

  /** @param header the request's `Cookie` header. @throws CouchError bad_request when the cookie makes no sense */
  read(header: string | undefined): ClaimedCookie | undefined {
    const value = header && cookieValue(header);
    if (!value) return undefined;
    return this.#genuine.get(value) ?? this.#parse(value);
  }

  #parse(value: string): ClaimedCookie {
    const bytes = base64Url.test(value) ? Buffer.from(value, "base64url") : Buffer.alloc(0);
    const first = bytes.indexOf(":");
    const second = bytes.indexOf(":", first + 1);
    if (first < 0 || second < 0) {
      throw new CouchError("bad_request", "Malformed AuthSession cookie. Please clear your cookies.");
    }
    return {
      value,
      name: bytes.toString("utf8", 0, first),
      madeAt: bytes.toString("latin1", first + 1, second),
      signature: bytes.subarray(second + 1),
      signedFor: undefined,
    };
  }

  /** Whether the cookie is `principal`'s, whose name it claims, and its time is not over. Its session may have ended all the same. */
  check(cookie: ClaimedCookie, principal: Principal): CookieState {
    if (saltOf(principal) === "" || cookie.name !== principal.name || !hexadecimal.test(cookie.madeAt))
      return "refused";
    const left = Number.parseInt(cookie.madeAt, 16) + this.#options.seconds - this.#seconds();
    if (left <= 0) return "refused";
    if (cookie.signedFor !== principal && !this.#isGenuine(cookie, principal)) return "refused";
    return left < this.#options.seconds * renewBelow ? "renew" : "fresh";
  }

  #isGenuine(cookie: ClaimedCookie, principal: Principal): boolean {
    const expected = this.#sign(`${cookie.name}:${cookie.madeAt}`, principal);
    if (!sameSecret(cookie.signature, expected)) return false;
    this.#genuine.set(cookie.value, { ...cookie, signedFor: principal });
    return true;
  }

  /** Whether a cookie that was made then need not be renewed yet. */
  isFresh(madeAt: string): boolean {
    const left = Number.parseInt(madeAt, 16) + this.#options.seconds - this.#seconds();
    return left >= this.#options.seconds * renewBelow;
  }

  #sign(claim: string, principal: Principal): Buffer {
    return createHmac("sha256", this.#options.secret + saltOf(principal))
      .update(claim)
      .digest();
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
