/**
 * What is remembered of a log-in between its start and the provider's answer. It stands in a cookie of the browser, sealed,
 * and nowhere else: strangers who begin log-ins leave nothing behind here, any gateway can finish what another began, and
 * an answer that comes to another browser than the one that asked is worth nothing.
 */
import { seal, unseal } from "../keys/sealed.js";

export interface Flow {
  readonly provider: string;
  readonly state: string;
  readonly nonce: string;
  /** PKCE towards the provider. */
  readonly verifier: string;
  /** Where the provider sends the browser back to. */
  readonly callback: string;
  /** Of the app. */
  readonly redirect: string;
  /** PKCE towards the app, which is to get a code; without it the browser gets a session cookie. */
  readonly challenge?: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

/** Seconds for which somebody may take to log in at the provider's. */
export const flowLife = 600;
const prefix = "SetteeLogIn-";
const path = "/_settee/oidc/";
const stateForm = /^[A-Za-z0-9_-]{20,100}$/;

/** Log-ins in several tabs are several cookies. */
function nameOf(state: string): string {
  return prefix + state.slice(0, 16);
}

/** A `Set-Cookie` header. */
export function flowCookie(flow: Flow, key: Buffer, overTls: boolean): string {
  return header(flow.state, seal(key, JSON.stringify(flow), flow.state), flowLife, overTls);
}

/** A `Set-Cookie` header that takes it away. */
export function endedFlowCookie(state: string, overTls: boolean): string {
  return header(state, "", 0, overTls);
}

/** @param cookies the request's `Cookie` header. @param state as the provider gave it back. @param now milliseconds since 1970 */
export function readFlow(
  cookies: string | undefined,
  state: string | undefined,
  key: Buffer,
  now: number,
): Flow | undefined {
  if (state === undefined || !stateForm.test(state)) return undefined;
  const start = `${nameOf(state)}=`;
  const sealed = cookies
    ?.split(";")
    .map((part) => part.trim())
    .find((part) => part.startsWith(start))
    ?.slice(start.length);
  const text = sealed && unseal(key, sealed, state);
  if (!text) return undefined;
  const flow = JSON.parse(text) as Flow;
  return flow.expiresAt > now ? flow : undefined;
}

/** `Lax`, and never `Strict`: the provider's answer is a link from another site. */
function header(state: string, value: string, seconds: number, overTls: boolean): string {
  const secure = overTls ? "; Secure" : "";
  return `${nameOf(state)}=${value}; Max-Age=${seconds}; Path=${path}${secure}; HttpOnly; SameSite=Lax`;
}
