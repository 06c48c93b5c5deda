/**
 * A page of another site may send a form here, with the visitor's cookie or password. Almost everything refuses forms; update functions
 * and rewrites exist to take them.
 */
import { CouchError } from "../../protocol/errors.js";
import type { Call } from "./call.js";
import { corsHeaders } from "./cors.js";

/** Programs that are no browsers name no origin. @throws CouchError forbidden */
export function refuseForeignOrigin({ headers, services }: Call): void {
  const { host, origin } = headers;
  // A proxy may speak TLS to the browser and none to this server: what must agree is the host.
  if (origin === undefined || hostOf(origin) === host) return;
  if (corsHeaders(headers, services.config.cors)) return;
  throw new CouchError("forbidden", "Pages of another origin may not do this.");
}

/** Undefined for `null`, which a sandboxed page sends. */
function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}

const safe = new Set(["GET", "HEAD", "OPTIONS"]);

/** Methods that links and pages may use, since they change nothing. */
export function isSafe(method: string): boolean {
  return safe.has(method);
}
