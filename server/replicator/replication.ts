/** What `POST /_replicate` and documents of `_replicator` ask for, parsed. The words of refusals are CouchDB's. */
import { CouchError } from "../../protocol/errors.js";
import { type Endpoint, isObject, parseEndpoint } from "./endpoint.js";
import type { PeerSeq } from "./peer.js";

export interface Replication {
  readonly source: Endpoint;
  readonly target: Endpoint;
  readonly options: ReplicationOptions;
}

export interface ReplicationOptions {
  readonly continuous: boolean;
  readonly createTarget: boolean;
  /** Parameters of the target's creation: `partitioned`, `q`, `n`. */
  readonly createTargetParams: Readonly<Record<string, string>>;
  readonly filter: SourceFilter | undefined;
  /** Begin here, whatever checkpoints say. */
  readonly sinceSeq: PeerSeq | undefined;
  readonly winningRevsOnly: boolean;
  readonly useCheckpoints: boolean;
  /** Milliseconds between checkpoints. */
  readonly checkpointInterval: number;
  readonly useBulkGet: boolean;
  /** Tries again of one request. */
  readonly retries: number;
  /** Milliseconds without an answer after which a request has failed. */
  readonly connectionTimeout: number;
}

export type SourceFilter =
  | { readonly kind: "doc_ids"; readonly ids: readonly string[] }
  | { readonly kind: "selector"; readonly selector: Readonly<Record<string, unknown>> }
  | {
      readonly kind: "function";
      /** `designname/filtername`, or `_view` with `view` among the parameters. */
      readonly name: string;
      readonly params: Readonly<Record<string, unknown>>;
    };

type Json = Readonly<Record<string, unknown>>;

const defaultCheckpointInterval = 30_000;
const defaultRetries = 5;
const defaultConnectionTimeout = 30_000;
const longest = 3_600_000;

/** @throws CouchError bad_request, invalid_replication */
export function parseReplication(body: Json): Replication {
  if (isMissing(body["source"]) || isMissing(body["target"])) {
    throw new CouchError("bad_request", "Missing replicator database");
  }
  const options = parseOptions(body);
  return { source: parseEndpoint(body["source"]), target: parseEndpoint(body["target"]), options };
}

function isMissing(value: unknown): boolean {
  return value === undefined || value === null;
}

function parseOptions(body: Json): ReplicationOptions {
  const sinceSeq = body["since_seq"];
  return {
    continuous: flag(body, "continuous", false),
    createTarget: flag(body, "create_target", false),
    createTargetParams: createTargetParams(body["create_target_params"]),
    filter: parseFilter(body),
    sinceSeq: isMissing(sinceSeq) ? undefined : parseSeq(sinceSeq),
    winningRevsOnly: flag(body, "winning_revs_only", false),
    useCheckpoints: flag(body, "use_checkpoints", true),
    checkpointInterval: positive(body, "checkpoint_interval", defaultCheckpointInterval),
    useBulkGet: flag(body, "use_bulk_get", true),
    retries: positive(body, "retries_per_request", defaultRetries),
    connectionTimeout: positive(body, "connection_timeout", defaultConnectionTimeout),
  };
}

function parseSeq(value: unknown): PeerSeq {
  const known = typeof value === "string" || typeof value === "number" || Array.isArray(value);
  if (!known) throw new CouchError("bad_request", "parameter `since_seq` must be a sequence");
  return value as PeerSeq;
}

function parseFilter(body: Json): SourceFilter | undefined {
  const { doc_ids: ids, selector, filter, query_params: params } = body;
  const given = [ids, selector, filter].filter((value) => !isMissing(value));
  if (given.length > 1) throw new CouchError("bad_request", "`doc_ids`,`filter`,`selector` are mutually exclusive");
  if (!isMissing(ids)) {
    if (!Array.isArray(ids)) throw new CouchError("bad_request", "parameter `doc_ids` must be an array");
    if (ids.some((id) => typeof id !== "string")) {
      throw new CouchError("bad_request", "parameter `doc_ids` must be an array of strings");
    }
    return { kind: "doc_ids", ids: [...new Set(ids as string[])].sort() };
  }
  if (!isMissing(selector)) {
    if (!isObject(selector)) throw new CouchError("bad_request", "parameter `selector` must be a JSON object");
    return { kind: "selector", selector };
  }
  if (isMissing(filter)) return undefined;
  if (typeof filter !== "string") throw new CouchError("bad_request", "parameter `filter` must be a string");
  if (!isMissing(params) && !isObject(params)) {
    throw new CouchError("bad_request", "parameter `query_params` must be a JSON object");
  }
  return filter === "" ? undefined : { kind: "function", name: filter, params: (params as Json) ?? {} };
}

function createTargetParams(value: unknown): Readonly<Record<string, string>> {
  if (isMissing(value)) return {};
  if (!isObject(value)) {
    throw new CouchError("bad_request", "parameter `create_target_params` must be a JSON object");
  }
  return Object.fromEntries(Object.entries(value).map(([name, given]) => [name, String(given)]));
}

function flag(body: Json, name: string, missing: boolean): boolean {
  const value = body[name];
  if (isMissing(value)) return missing;
  if (typeof value !== "boolean") throw new CouchError("bad_request", `parameter \`${name}\` must be a boolean`);
  return value;
}

function positive(body: Json, name: string, missing: number): number {
  const value = body[name];
  if (isMissing(value)) return missing;
  if (!Number.isSafeInteger(value) || (value as number) < 1) {
    throw new CouchError("bad_request", `parameter \`${name}\` must be a positive integer`);
  }
  return Math.min(value as number, longest);
}
