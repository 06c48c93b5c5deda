/**
 * The name of a replication, and of its checkpoints on both sides: a function of this server's id, both ends and what is replicated, as
 * in version 4 of CouchDB's recipe. The same request finds its checkpoints again after a restart, with another password, and whether it is
 * continuous or not.
 */
import { createHash } from "node:crypto";
import { type Endpoint, withoutCredentials } from "./endpoint.js";
import type { Replication } from "./replication.js";

export interface ReplicationId {
  /** 32 hexadecimal digits: names the checkpoints. */
  readonly base: string;
  /** With `+continuous` and `+create_target` where they were asked for: names the job. */
  readonly full: string;
}

/**
 * @param server names this server for ever, 32 hexadecimal digits
 * @param filterCode source of the filter function, when there is one: another function replicates something else
 */
export function replicationId(
  { source, target, options }: Replication,
  server: string,
  filterCode: string | undefined,
): ReplicationId {
  const { filter, winningRevsOnly, continuous, createTarget } = options;
  const subject: unknown[] = [server, identityOf(source), identityOf(target)];
  if (filter?.kind === "doc_ids") subject.push(["doc_ids", filter.ids]);
  if (filter?.kind === "selector") subject.push(["selector", sorted(filter.selector)]);
  if (filter?.kind === "function") subject.push(["filter", filterCode ?? filter.name, sorted(filter.params)]);
  if (winningRevsOnly) subject.push("winning_revs_only");
  const base = createHash("md5").update(JSON.stringify(subject)).digest("hex");
  return { base, full: `${base}${continuous ? "+continuous" : ""}${createTarget ? "+create_target" : ""}` };
}

/** Passwords are not part of it: they change, and the replication stays the same. Who replicates is. */
function identityOf(endpoint: Endpoint): unknown {
  if (endpoint.kind === "name") return ["name", endpoint.name];
  const { url, credentials, headers } = endpoint;
  const { authorization, ...others } = headers;
  return ["url", credentials?.username ?? basicUser(authorization), withoutCredentials(url), sorted(others)];
}

function basicUser(authorization: string | undefined): string | null {
  const encoded = /^basic\s+(\S+)$/i.exec(authorization ?? "")?.[1];
  return encoded === undefined ? null : (Buffer.from(encoded, "base64").toString().split(":", 1)[0] as string);
}

/** The same members in another order are the same question. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.map(([name, member]) => [name, sorted(member)]);
}
