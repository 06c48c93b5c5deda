/** `POST /_settee/token` and its `revoke`: passwords and refresh tokens to fresh pairs of tokens. */
import { CouchError } from "../../../protocol/errors.js";
import {
  parseRevokeRequest,
  parseTokenRequest,
  type TokenRefusal,
  type TokenReply,
  type TokenRequest,
} from "../../../protocol/token.js";
import { lifeFor, type TokenLives } from "../keys/token-lives.js";
import type { OneTimeCodes } from "../outside/one-time-codes.js";
import type { OutsideAccounts } from "../outside/outside-accounts.js";
import type { PasswordCheck } from "../password-check.js";
import type { Principal } from "../principals.js";
import type { Provisioning } from "../provisioning.js";
import type { AccessTokens } from "./access-tokens.js";
import type { IssuedToken, RefreshTokens } from "./refresh-tokens.js";

/** OAuth's error words are its own, and so a refusal is an answer here and not a CouchError. */
export type GrantOutcome =
  | { readonly status: 200; readonly body: TokenReply }
  | { readonly status: 400 | 401; readonly body: TokenRefusal };

export type RevokeOutcome =
  | { readonly status: 200; readonly body: { readonly ok: true } }
  | { readonly status: 400; readonly body: TokenRefusal };

export interface TokenGrantsParts {
  readonly passwordCheck: PasswordCheck;
  readonly accessTokens: AccessTokens;
  readonly refreshTokens: RefreshTokens;
  readonly provisioning: Provisioning;
  readonly lives: TokenLives;
  readonly codes: OneTimeCodes;
  readonly outsideAccounts: OutsideAccounts;
  /** Refuses who lacks a second factor that the account has. @throws CouchError unauthorized, forbidden */
  readonly checkSecondFactor: (principal: Principal, code: string | undefined, address: string) => Promise<void>;
  /** Told of each log-in with a password. */
  readonly loggedIn: (principal: Principal, address: string) => Promise<void>;
}

/** Where a request for tokens came from. */
export interface GrantOrigin {
  /** Of the client, for the lock-out. */
  readonly address: string;
  /** `User-Agent`, for the list of sessions. */
  readonly agent?: string | undefined;
}

export class TokenGrants {
  readonly #parts: TokenGrantsParts;

  constructor(parts: TokenGrantsParts) {
    this.#parts = parts;
  }

  /** @throws CouchError forbidden when locked out */
  async grant(body: unknown, origin: GrantOrigin): Promise<GrantOutcome> {
    const request = parseTokenRequest(body);
    if ("error" in request) return { status: 400, body: request };
    if (request.grant_type === "password") return this.#grantForPassword(request, origin);
    if (request.grant_type === "authorization_code") return this.#grantForCode(request, origin);
    return this.#grantForRefreshToken(request.refresh_token);
  }

  async revoke(body: unknown): Promise<RevokeOutcome> {
    const token = parseRevokeRequest(body);
    if (typeof token !== "string") return { status: 400, body: token };
    await this.#parts.refreshTokens.revoke(token);
    return { status: 200, body: { ok: true } };
  }

  async #grantForPassword(
    { username: name, password, totp, device }: Extract<TokenRequest, { grant_type: "password" }>,
    origin: GrantOrigin,
  ): Promise<GrantOutcome> {
    const { address } = origin;
    const { passwordCheck, checkSecondFactor } = this.#parts;
    let principal: Principal;
    try {
      principal = await passwordCheck.authenticate({ name, password, address });
      await checkSecondFactor(principal, totp, address);
    } catch (error) {
      if (!(error instanceof CouchError) || error.error !== "unauthorized") throw error;
      const needsCode = error.detail?.totp === true;
      return { status: 401, body: { error: "invalid_grant", reason: error.reason, ...(needsCode && { totp: true }) } };
    }
    return { status: 200, body: await this.grantTo(principal, origin, device) };
  }

  /** For somebody who has proved who they are. */
  async grantTo(principal: Principal, { address, agent }: GrantOrigin, device?: string): Promise<TokenReply> {
    const { provisioning, refreshTokens, loggedIn } = this.#parts;
    await provisioning.finish(principal.name);
    const pair = await this.#pair(await refreshTokens.issue(principal, { name: device, agent }));
    await loggedIn(principal, address);
    return pair;
  }

  async #grantForRefreshToken(token: string): Promise<GrantOutcome> {
    const refreshed = await this.#parts.refreshTokens.refresh(token);
    if (!refreshed) {
      return { status: 400, body: { error: "invalid_grant", reason: "The refresh token is not valid any more." } };
    }
    return { status: 200, body: await this.#pair(refreshed) };
  }

  async #grantForCode(
    { code, code_verifier: verifier, device }: Extract<TokenRequest, { grant_type: "authorization_code" }>,
    { agent }: GrantOrigin,
  ): Promise<GrantOutcome> {
    const { codes, outsideAccounts, provisioning, refreshTokens } = this.#parts;
    const vouched = await codes.take(code, verifier);
    const principal = vouched && (await outsideAccounts.principalOf(vouched.identity, vouched.createAccounts));
    if (!principal) {
      const reason = vouched ? "There is no account for this identity." : "The code is not valid any more.";
      return { status: 400, body: { error: "invalid_grant", reason } };
    }
    await provisioning.finish(principal.name);
    return { status: 200, body: await this.#pair(await refreshTokens.issue(principal, { name: device, agent })) };
  }

  async #pair({ principal, sessionId, token }: IssuedToken): Promise<TokenReply> {
    const { accessTokens, lives } = this.#parts;
    const { accessSeconds } = lifeFor(principal.roles, lives);
    return {
      access_token: await accessTokens.issue(principal, sessionId, accessSeconds),
      token_type: "bearer",
      expires_in: accessSeconds,
      refresh_token: token,
    };
  }
}
