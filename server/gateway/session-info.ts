/** The bodies of `/_session`, as CouchDB has them. */
import { CouchError } from "../../protocol/errors.js";
import { type AuthenticationMethod, anonymous, type Identity } from "../../protocol/security.js";

export interface SessionInfo {
  readonly ok: true;
  readonly userCtx: { readonly name: string | null; readonly roles: readonly string[] };
  readonly info: {
    readonly authentication_handlers: readonly AuthenticationMethod[];
    readonly authenticated?: AuthenticationMethod;
  };
}

/** The answer to `GET /_session`. @param asksForPassword `?basic=true`. @throws CouchError unauthorized */
export function sessionInfo(
  identity: Identity,
  handlers: readonly AuthenticationMethod[],
  asksForPassword = false,
): SessionInfo {
  const isGuest = identity.method === anonymous.method;
  if (isGuest && asksForPassword) throw new CouchError("unauthorized", "Please login.");
  return {
    ok: true,
    userCtx: { name: identity.name, roles: identity.roles },
    info: { authentication_handlers: handlers, ...(!isGuest && { authenticated: identity.method }) },
  };
}

/** The answer to `POST /_session`. */
export function loggedIn({ name, roles }: Identity): { ok: true; name: string | null; roles: readonly string[] } {
  return { ok: true, name, roles };
}

export interface LogInRequest {
  readonly name: string;
  readonly password: string;
  /** A one-time code. */
  readonly totp?: string;
  /** Ours: what the user calls the device, for the list of sessions. */
  readonly device?: string | undefined;
}

/**
 * What `POST /_session` takes, as JSON or as a form; `username` is what Cloudant's clients say, `token` what CouchDB calls a
 * one-time code. @throws CouchError bad_request
 */
export function parseLogIn(body: unknown): LogInRequest {
  const fields = typeof body === "object" && body !== null ? (body as Record<string, unknown>) : {};
  const { username, name = username, password, token, totp = token, device } = fields;
  if (typeof name !== "string" || name === "") {
    throw new CouchError("bad_request", "request body must contain a username");
  }
  // A missing password is a wrong one.
  return {
    name,
    password: typeof password === "string" ? password : "",
    ...(typeof device === "string" && { device }),
    ...((typeof totp === "string" || typeof totp === "number") && { totp: String(totp) }),
  };
}
