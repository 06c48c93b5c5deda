/** How a client sees this server. */
import type { IncomingHttpHeaders } from "node:http";
import type { Config } from "../config.js";
import type { Client } from "./client-address.js";

const hostForm = /^[\w.:[\]-]{1,255}$/;

/**
 * `http://host:port`, as a proxy in front tells it, as in CouchDB. For `Location` alone: anybody may send these headers, so nothing
 * is decided by them.
 */
export function originOf(
  headers: IncomingHttpHeaders,
  { host, overTls }: Pick<Client, "host" | "overTls">,
  { forwarded }: Pick<Config, "forwarded">,
): string {
  const told = headers[forwarded.host.toLowerCase()];
  const name = typeof told === "string" && hostForm.test(told) ? told : host;
  const secure =
    headers[forwarded.ssl.toLowerCase()] === "on" || headers[forwarded.proto.toLowerCase()] === "https" || overTls;
  return `${secure ? "https" : "http"}://${name}`;
}
