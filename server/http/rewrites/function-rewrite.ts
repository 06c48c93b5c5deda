/** What a `rewrites` function wants instead of a request, checked as CouchDB checks it. */
import { METHODS } from "node:http";
import { CouchError } from "../../../protocol/errors.js";
import type { FunctionResponse } from "../../sandbox/sandbox.js";
import { type DesignPath, escapedQuery, rewrittenUrl } from "./rewritten-url.js";

/** Either an answer right away, or another request. */
export type FunctionRewrite =
  | { readonly kind: "answer"; readonly response: FunctionResponse }
  | {
      readonly kind: "request";
      readonly method: string;
      readonly url: string;
      readonly headers: Readonly<Record<string, string>>;
      readonly body: string | undefined;
    };

/** `question` is the query of the request, which is kept where the function names none. @throws CouchError rewrite_error */
export function parseFunctionRewrite(
  wanted: FunctionResponse,
  { method: sent, question, base }: { readonly method: string; readonly question: string; readonly base: DesignPath },
): FunctionRewrite {
  if (Array.isArray(wanted) || typeof wanted !== "object") throw failure("bad rewrite");
  const { code, path, method = sent } = wanted;
  const body = optional(wanted["body"], isText, "bad body");
  const headers = optional(wanted["headers"], isTextObject, "bad headers") ?? {};
  const query = optional(wanted["query"], isTextObject, "bad query");
  if (!isText(method) || !METHODS.includes(method)) throw failure("bad method");
  if (code !== undefined) {
    if (typeof code !== "number" || !Number.isInteger(code) || code < 200 || code >= 600) throw failure("bad code");
    return { kind: "answer", response: { code, headers, body: body ?? "" } };
  }
  if (path === undefined) throw failure("Rewrite result must produce a new path.");
  if (!isText(path)) throw failure("bad path");
  const [, way = "", own = ""] = /^([^?#]*)\??([^#]*)/.exec(printable(path)) ?? [];
  const asked = query ? escapedQuery(Object.entries(query)) : question;
  const url = rewrittenUrl(base, way.split("/"), [own, asked].filter((part) => part !== "").join("&"));
  return { kind: "request", method, url, headers, body };
}

/** The function escapes its path itself; what cannot stand in any is escaped for it. */
function printable(path: string): string {
  return path.toWellFormed().replace(/[^!-~]/gu, encodeURIComponent);
}

function optional<T>(value: unknown, is: (value: unknown) => value is T, reason: string): T | undefined {
  if (value === undefined) return undefined;
  if (!is(value)) throw failure(reason);
  return value;
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function isTextObject(value: unknown): value is Record<string, string> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && Object.values(value).every(isText);
}

function failure(reason: string): CouchError {
  return new CouchError("rewrite_error", reason, { status: 500 });
}
