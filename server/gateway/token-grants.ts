/** `POST /_settee/token` and its `revoke`: passwords and refresh tokens to fresh pairs of tokens. */
import { CouchError } from "../../protocol/errors.js";
import { parseRevokeRequest, parseTokenRequest, type TokenRefusal, type TokenReply } from "../../protocol/token.js";
import type { AccessTokens } from "./access-tokens.js";
import type { PasswordCheck } from "./password-check.js";
import type { Principal } from "./principals.js";
import type { Provisioning } from "./provisioning.js";
import type { RefreshTokens } from "./refresh-tokens.js";

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
}

export class TokenGrants {
  readonly #parts: TokenGrantsParts;

  constructor(parts: TokenGrantsParts) {
    this.#parts = parts;
  }

  /** @param address of the client, for the lock-out. @throws CouchError forbidden when locked out */
  async grant(body: unknown, address: string): Promise<GrantOutcome> {
    const request = parseTokenRequest(body);
    if ("error" in request) return { status: 400, body: request };
    return request.grant_type === "password"
      ? this.#grantForPassword(request.username, request.password, address)
      : this.#grantForRefreshToken(request.refresh_token);
  }

  async revoke(body: unknown): Promise<RevokeOutcome> {
    const token = parseRevokeRequest(body);
    if (typeof token !== "string") return { status: 400, body: token };
    await this.#parts.refreshTokens.revoke(token);
    return { status: 200, body: { ok: true } };
  }

  async #grantForPassword(name: string, password: string, address: string): Promise<GrantOutcome> {
    const { passwordCheck, provisioning, refreshTokens } = this.#parts;
    let principal: Principal;
    try {
      principal = await passwordCheck.authenticate({ name, password, address });
    } catch (error) {
      if (!(error instanceof CouchError) || error.error !== "unauthorized") throw error;
      return { status: 401, body: { error: "invalid_grant", reason: error.reason } };
    }
    await provisioning.finish(principal.name);
    return { status: 200, body: this.#pair(principal, await refreshTokens.issue(principal)) };
  }

  async #grantForRefreshToken(token: string): Promise<GrantOutcome> {
    const refreshed = await this.#parts.refreshTokens.refresh(token);
    if (!refreshed) {
      return { status: 400, body: { error: "invalid_grant", reason: "The refresh token is not valid any more." } };
    }
    return { status: 200, body: this.#pair(refreshed.principal, refreshed.token) };
  }

  #pair(principal: Principal, refreshToken: string): TokenReply {
    const { accessTokens } = this.#parts;
    return {
      access_token: accessTokens.issue(principal),
      token_type: "bearer",
      expires_in: accessTokens.life,
      refresh_token: refreshToken,
    };
  }
}
