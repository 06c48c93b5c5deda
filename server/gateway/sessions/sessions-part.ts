/** Builds what sessions are made of, starts it in order and closes it. */
import { hkdfSync } from "node:crypto";
import type { Backend } from "../../backend/backend.js";
import type { Admins } from "../admins.js";
import type { CompleteGatewayOptions } from "../gateway-options.js";
import { KeyRing } from "../keys/key-ring.js";
import { longestAccessSeconds } from "../keys/token-lives.js";
import type { Principals } from "../principals.js";
import { AccessTokens } from "./access-tokens.js";
import { Fingerprints } from "./fingerprints.js";
import { RefreshTokens } from "./refresh-tokens.js";
import { SessionCookies } from "./session-cookies.js";
import { SessionTable } from "./session-table.js";
import { Sessions } from "./sessions.js";
import { Standings } from "./standings.js";

export interface SessionsPartOptions {
  readonly backend: Backend;
  readonly admins: Admins;
  readonly principals: Principals;
  readonly options: CompleteGatewayOptions;
}

export class SessionsPart {
  readonly fingerprints: Fingerprints;
  readonly keys: KeyRing;
  readonly cookies: SessionCookies;
  readonly table: SessionTable;
  readonly sessions: Sessions;
  readonly accessTokens: AccessTokens;
  readonly refreshTokens: RefreshTokens;
  readonly standings: Standings;

  constructor({ backend, admins, principals, options }: SessionsPartOptions) {
    const { now, secret, onError, tokenLives: lives, tokenIssuer: issuer, tokenAudience: audience } = options;
    const { sessionSeconds: seconds, cookieSecure: secure, cookieSameSite: sameSite } = options;
    this.fingerprints = new Fingerprints(keyFor("fingerprints", secret));
    const { fingerprints } = this;
    this.keys = new KeyRing(backend, {
      sealingKey: keyFor("keys at rest", secret),
      algorithm: options.tokenAlgorithm,
      overlap: longestAccessSeconds(lives) * 1000,
      now,
      onError,
    });
    this.cookies = new SessionCookies({ secret, seconds, secure, now, ...(sameSite && { sameSite }) });
    this.table = new SessionTable(backend, now);
    const { table, cookies } = this;
    this.sessions = new Sessions({ table, cookies, fingerprints, now });
    const { sessions } = this;
    this.accessTokens = new AccessTokens({ issuer, audience, now }, this.keys);
    const grace = options.refreshGraceSeconds * 1000;
    this.refreshTokens = new RefreshTokens({ table, sessions, principals, fingerprints, lives, grace, now });
    this.standings = new Standings({ backend, admins, principals, fingerprints, table, sessions, now, onError });
  }

  /** The system's databases must exist by now, and accounts be followed. */
  async start(): Promise<void> {
    this.table.start();
    this.standings.start();
    await this.keys.start();
  }

  close(): void {
    this.standings.close();
    this.table.close();
    this.keys.close();
  }
}

/** One key for each purpose, so that a signature made for one is worth nothing for another. */
export function keyFor(purpose: string, secret: string): Buffer {
  return Buffer.from(hkdfSync("sha256", secret, "", `settee ${purpose}`, 32));
}
