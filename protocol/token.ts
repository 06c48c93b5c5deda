/** `POST /_settee/token` and `POST /_settee/token/revoke`, as OAuth 2 (RFC 6749, RFC 7009) has them. */
import { z } from "zod";

export type TokenRequest =
  | {
      readonly grant_type: "password";
      /** Or a verified address. */
      readonly username: string;
      readonly password: string;
      /** A one-time code, for accounts with a second factor. */
      readonly totp?: string | undefined;
      /** Shown in the user's list of sessions. */
      readonly device?: string | undefined;
    }
  | { readonly grant_type: "refresh_token"; readonly refresh_token: string }
  | {
      /** Of an outside log-in. */
      readonly grant_type: "authorization_code";
      readonly code: string;
      readonly code_verifier: string;
      readonly device?: string | undefined;
    };

export const tokenReply = z.strictObject({
  access_token: z.string(),
  token_type: z.literal("bearer"),
  /** Seconds. */
  expires_in: z.int(),
  refresh_token: z.string(),
});
export type TokenReply = z.output<typeof tokenReply>;

export interface TokenRefusal {
  readonly error: "invalid_request" | "invalid_grant" | "unsupported_grant_type";
  readonly reason: string;
  /** The password was right; a one-time code is missing or wrong. */
  readonly totp?: true;
}

const passwordGrant = z.object({
  grant_type: z.literal("password"),
  username: z.string("username is required"),
  password: z.string("password is required"),
  device: z.string("device must be a text").optional(),
  totp: z.string("totp is a text").optional(),
});
const refreshGrant = z.object({
  grant_type: z.literal("refresh_token"),
  refresh_token: z.string("refresh_token is required"),
});
const codeGrant = z.object({
  grant_type: z.literal("authorization_code"),
  code: z.string("code is required"),
  code_verifier: z.string("code_verifier is required"),
  device: z.string("device must be a text").optional(),
});
// Other members are ignored, as OAuth asks.
export const tokenRequest = z.discriminatedUnion("grant_type", [passwordGrant, refreshGrant, codeGrant]);
const grantType = z.object({ grant_type: z.string() });
export const revokeRequest = z.object({ token: z.string() });

/** @param body JSON, or the fields of a form */
export function parseTokenRequest(body: unknown): TokenRequest | TokenRefusal {
  const type = grantType.safeParse(body);
  if (!type.success) return { error: "invalid_request", reason: "grant_type is required" };
  const parsed = tokenRequest.safeParse(body);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  if (issue?.path[0] === "grant_type") {
    return {
      error: "unsupported_grant_type",
      reason: "grant_type must be password, refresh_token or authorization_code",
    };
  }
  return { error: "invalid_request", reason: issue?.message ?? "The request could not be understood." };
}

/** @returns the token to revoke */
export function parseRevokeRequest(body: unknown): string | TokenRefusal {
  const parsed = revokeRequest.safeParse(body);
  return parsed.success ? parsed.data.token : { error: "invalid_request", reason: "token is required" };
}

/** RFC 7517. */
export const jwks = z.object({ keys: z.array(z.object({ kty: z.string() })) });

export const rotateKeysReply = z.strictObject({ ok: z.literal(true), kid: z.string() });
