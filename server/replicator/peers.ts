/** From what a request names to the two ends of a replication. */
import { CouchError } from "../../protocol/errors.js";
import { anonymous, type Identity } from "../../protocol/security.js";
import type { Endpoint, UrlEndpoint } from "./endpoint.js";
import type { LocalEnd } from "./local/local-peer.js";
import type { LocalServices } from "./local/local-services.js";
import { LocalSource, localFilterCode } from "./local/local-source.js";
import { LocalTarget } from "./local/local-target.js";
import type { Source, Target } from "./peer.js";
import { Connection } from "./remote/connection.js";
import type { Outgoing } from "./remote/outgoing.js";
import { RemoteSource, remoteFilterCode } from "./remote/remote-source.js";
import { RemoteTarget } from "./remote/remote-target.js";
import type { Replication, ReplicationOptions } from "./replication.js";

export interface PeerServices {
  readonly local: LocalServices;
  readonly outgoing: Outgoing;
  /** `http://host:port` of this server, without a slash at its end; the first is the one that is shown. */
  ownOrigins(): readonly string[];
  /** Who comes with these headers; undefined when they prove nothing. */
  identify(headers: Readonly<Record<string, string>>): Promise<Identity | undefined>;
  /** Whether this caller may have the server send requests elsewhere. */
  mayGoOut(identity: Identity): boolean;
}

/** An end of a replication, opened for whoever replicates. */
type End = { readonly local: LocalEnd } | { readonly remote: UrlEndpoint };

export interface Ends {
  readonly source: End;
  readonly target: End;
  /** As they are shown: without credentials. */
  readonly sourceUrl: string;
  readonly targetUrl: string;
}

/** @throws CouchError forbidden, replication_auth_error */
export async function resolveEnds(
  { source, target }: Pick<Replication, "source" | "target">,
  identity: Identity,
  services: PeerServices,
): Promise<Ends> {
  const [from, to] = [await resolveEnd(source, identity, services), await resolveEnd(target, identity, services)];
  return { source: from, target: to, sourceUrl: urlOf(from), targetUrl: urlOf(to) };
}

export function openSource({ source }: Ends, options: ReplicationOptions, services: PeerServices): Source {
  return "local" in source
    ? new LocalSource(source.local, options)
    : new RemoteSource(connection(source.remote, options, services), options);
}

export function openTarget({ target }: Ends, options: ReplicationOptions, services: PeerServices): Target {
  return "local" in target
    ? new LocalTarget(target.local)
    : new RemoteTarget(connection(target.remote, options, services));
}

/** The name of the source when it is a database of this server. */
export function localSourceName({ source }: Ends): string | undefined {
  return "local" in source ? source.local.name : undefined;
}

/** The source text of the filter function, when there is one. @throws CouchError not_found */
export async function filterCode(
  { source, sourceUrl }: Ends,
  options: ReplicationOptions,
  services: PeerServices,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { filter } = options;
  if (filter?.kind !== "function" || filter.name.startsWith("_")) return undefined;
  if ("remote" in source) {
    return await remoteFilterCode(connection(source.remote, options, services), filter.name, signal);
  }
  const peer = new LocalSource(source.local, options);
  await peer.info(signal);
  const { identity, name } = source.local;
  return localFilterCode(await services.local.open(identity, name, "read"), filter.name, sourceUrl);
}

function connection(endpoint: UrlEndpoint, options: ReplicationOptions, { outgoing }: PeerServices): Connection {
  return new Connection(endpoint, { outgoing, retries: options.retries, timeout: options.connectionTimeout });
}

function urlOf(end: End): string {
  return "local" in end ? end.local.url : end.remote.url;
}

async function resolveEnd(endpoint: Endpoint, identity: Identity, services: PeerServices): Promise<End> {
  if (endpoint.kind === "name") {
    const url = `${services.ownOrigins()[0]}/${encodeURIComponent(endpoint.name)}/`;
    return { local: { services: services.local, identity, name: endpoint.name, url } };
  }
  const name = ownName(endpoint.url, services.ownOrigins());
  if (name === undefined) {
    if (!services.mayGoOut(identity)) {
      throw new CouchError("forbidden", "You are not allowed to replicate with other servers.");
    }
    return { remote: endpoint };
  }
  // A URL of this very server: its credentials are looked at here, and nothing goes through a socket.
  const own = await ownIdentity(endpoint, services);
  return { local: { services: services.local, identity: own, name, url: endpoint.url } };
}

async function ownIdentity(endpoint: UrlEndpoint, { identify }: PeerServices): Promise<Identity> {
  const { credentials, headers, url } = endpoint;
  const encoded = credentials && Buffer.from(`${credentials.username}:${credentials.password}`).toString("base64");
  const given = encoded === undefined ? headers : { ...headers, authorization: `Basic ${encoded}` };
  if (Object.keys(given).length === 0) return anonymous;
  const identity = await identify(given);
  if (!identity) throw new CouchError("replication_auth_error", `${url} refused the name or password`);
  return identity;
}

/** The database's name when a URL is one of this server. */
function ownName(url: string, origins: readonly string[]): string | undefined {
  const origin = origins.find((own) => url.startsWith(`${own}/`));
  if (origin === undefined) return undefined;
  const path = url.slice(origin.length + 1).replace(/\/$/, "");
  if (path === "" || path.includes("/")) return undefined;
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}
