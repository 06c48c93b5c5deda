/** Documents of `_replicator`: who may write which, what they ask for, and what of them others may see. */
import { CouchError } from "../../../protocol/errors.js";
import { type Identity, isServerAdmin } from "../../../protocol/security.js";
import { isObject, withoutCredentials } from "../endpoint.js";
import { parseReplication, type Replication } from "../replication.js";

type Json = Readonly<Record<string, unknown>>;

/** As whom a document's replication reads and writes databases of this server. */
export interface UserCtx {
  readonly name: string | null;
  readonly roles: readonly string[];
}

/** States that a document keeps: nothing is left to do. */
export type FinalState = "completed" | "failed";

export function finalStateOf(document: Json): FinalState | undefined {
  const state = document["_replication_state"];
  return state === "completed" || state === "failed" ? state : undefined;
}

/**
 * The document as it is stored for whoever writes it. Only a server administrator writes in another's name: an administrator of the
 * database alone could make the server act for anybody.
 * @throws CouchError forbidden
 */
export function prepareReplicationDocument(
  document: Json,
  old: Json | undefined,
  deleted: boolean,
  identity: Identity,
): Json {
  const isAdmin = isServerAdmin(identity);
  if (!isAdmin && old && ownerOf(old) !== identity.name) throw notTheirs();
  if (deleted) return document;
  if (finalStateOf(document) === undefined) checkReplication(document);
  const owner = ownerOf(document);
  if (!isAdmin) {
    if (owner !== undefined && owner !== identity.name) throw notTheirs();
    checkUserCtx(document, identity);
  }
  return owner === undefined || owner === null ? { ...document, owner: identity.name } : document;
}

/** Two kinds of refusal are one here, as in CouchDB: the document is not stored. @throws CouchError forbidden */
function checkReplication(document: Json): void {
  try {
    parseReplication(document);
    userCtxOf(document);
  } catch (error) {
    throw error instanceof CouchError ? new CouchError("forbidden", error.reason, { cause: error }) : error;
  }
}

function checkUserCtx(document: Json, { name, roles }: Identity): void {
  const ctx = userCtxOf(document);
  if (!ctx) return;
  const isOwn = ctx.name === name && ctx.roles.every((role) => roles.includes(role));
  if (!isOwn) throw new CouchError("forbidden", "The given `user_ctx` is not yours.");
}

function notTheirs(): CouchError {
  return new CouchError("forbidden", "Can't update replication documents from other users.");
}

export function ownerOf(document: Json): string | null | undefined {
  const { owner } = document as { readonly owner?: unknown };
  return typeof owner === "string" || owner === null ? owner : undefined;
}

/** @throws CouchError bad_request */
export function userCtxOf(document: Json): UserCtx | undefined {
  const ctx = document["user_ctx"];
  if (ctx === undefined || ctx === null) return undefined;
  const { name = null, roles = [] } = isObject(ctx) ? ctx : { name: 0 };
  const isName = name === null || typeof name === "string";
  if (!isName || !Array.isArray(roles) || roles.some((role) => typeof role !== "string")) {
    throw new CouchError("bad_request", "`user_ctx` must have a `name` and a list of `roles`");
  }
  return { name, roles: roles as string[] };
}

/** @throws CouchError bad_request, invalid_replication */
export function replicationOf(document: Json): Replication {
  return parseReplication(document);
}

/** Whether this reader sees the document as it is. */
export function seesCredentials(identity: Identity, document: Json): boolean {
  return isServerAdmin(identity) || (identity.name !== null && ownerOf(document) === identity.name);
}

/** Members in which no credentials can be; whatever else there is, another may have put there. */
const shownMembers = new Set([
  "owner",
  "continuous",
  "create_target",
  "create_target_params",
  "doc_ids",
  "filter",
  "query_params",
  "selector",
  "since_seq",
  "winning_revs_only",
  "use_checkpoints",
  "checkpoint_interval",
  "use_bulk_get",
  "user_ctx",
  "_replication_state",
  "_replication_state_time",
  "_replication_id",
  "_replication_stats",
  "_replication_start_time",
]);

/** The document as others see it: a white list, since credentials can be spelled in more ways than a list of secrets would know. */
export function withoutSecrets(document: Json): Json {
  const shown: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(document)) {
    if (name === "source" || name === "target") shown[name] = endpointWithoutSecrets(value);
    else if (name === "_replication_state_reason") shown[name] = withoutCredentials(String(value));
    else if (shownMembers.has(name)) shown[name] = value;
  }
  return shown;
}

function endpointWithoutSecrets(endpoint: unknown): unknown {
  if (typeof endpoint === "string") return withoutCredentials(endpoint);
  if (!isObject(endpoint)) return null;
  return typeof endpoint["url"] === "string" ? { url: withoutCredentials(endpoint["url"]) } : {};
}
