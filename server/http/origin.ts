/** How a client sees this server. */
import type { IncomingHttpHeaders } from "node:http";
import type { Config } from "../config.js";

const host = /^[\w.:[\]-]{1,255}$/;

/**
 * `http://host:port`, as a proxy in front tells it, as in CouchDB. For `Location` alone: anybody may send these headers, so nothing
 * is decided by them.
 */
export function originOf(headers: IncomingHttpHeaders, overTls: boolean, { forwarded }: Config): string {
  const told = headers[forwarded.host.toLowerCase()];
  const name = typeof told === "string" && host.test(told) ? told : (headers.host ?? "localhost");
  const secure =
    headers[forwarded.ssl.toLowerCase()] === "on" || headers[forwarded.proto.toLowerCase()] === "https" || overTls;
  return `${secure ? "https" : "http"}://${name}`;
}
