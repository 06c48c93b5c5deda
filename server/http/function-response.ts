/** What a function of a design document answers, made an answer of ours: members and their meaning are CouchDB's. */
import { CouchError } from "../../protocol/errors.js";
import type { FunctionResponse } from "../sandbox/sandbox.js";
import type { Reply } from "./call.js";
import { functionHeaders } from "./function-headers.js";

/** Nothing that a function made runs as the site: an origin of its own, no scripts, no forms. */
const sandboxed = "sandbox";

export interface FunctionReplyOptions {
  /** Where the function names none. Default: 200. */
  readonly status?: number;
  /** These win over the function's own. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** @throws CouchError external_response_error */
export function functionReply(
  response: FunctionResponse,
  { status: ordinaryStatus = 200, headers: ours = {} }: FunctionReplyOptions = {},
): Reply {
  let status = ordinaryStatus;
  let type = "application/json";
  let body: string | Buffer = "";
  let value: { readonly json: unknown } | undefined;
  let own: Readonly<Record<string, string>> = {};
  // In their order: of several bodies the last one counts.
  for (const [name, member] of Object.entries(response)) {
    switch (name) {
      case "":
        break;
      case "code":
        status = statusOf(member);
        break;
      case "stop":
        if (member !== true) throw invalid(name, member);
        break;
      case "json":
        value = { json: member };
        type = "application/json";
        break;
      case "body":
        if (typeof member !== "string") throw invalid(name, member);
        body = member;
        type = "text/html; charset=utf-8";
        break;
      case "base64":
        if (typeof member !== "string") throw invalid(name, member);
        body = Buffer.from(member, "base64");
        type = "application/binary";
        break;
      case "headers":
        own = functionHeaders(member);
        break;
      default:
        throw invalid(name, member);
    }
  }
  const headers = { "Content-Type": type, ...own, ...ours };
  // JSON that says it is JSON is the same as everybody else's. What says it is a page is one, whoever wrote it.
  if (value) body = `${JSON.stringify(value.json)}\n`;
  // Bytes, since Node would write headers in the encoding of a text behind them.
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(body);
  if (value && headers["Content-Type"] === "application/json") return { status, headers, body: bytes };
  const policies = { "Content-Security-Policy": policy(own["Content-Security-Policy"]) };
  return { status, headers: { ...headers, ...policies }, body: bytes, ownCaching: true };
}

/** A policy of the function's own comes behind ours, and can only restrict further. */
function policy(own: string | undefined): string | readonly string[] {
  return own === undefined ? sandboxed : [sandboxed, own];
}

function statusOf(code: unknown): number {
  if (typeof code === "number" && Number.isInteger(code) && code >= 200 && code < 600) return code;
  throw invalid("code", code);
}

/** How much of a member an error quotes. */
const quoted = 200;

function invalid(name: string, member: unknown): CouchError {
  const text = JSON.stringify({ [name]: member }).slice(0, quoted);
  return new CouchError("external_response_error", `Invalid data from a function: ${text}`);
}
