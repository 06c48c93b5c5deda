/** What CouchDB says of its cluster, as a single node says it: `_membership`, `_cluster_setup`, `_reshard`. */
import { CouchError } from "../../../protocol/errors.js";
import { type DatabaseName, parseDatabaseName } from "../../../protocol/ids.js";
import { readJsonObject, requireJson } from "../body.js";
import { type Call, json, type Reply } from "../call.js";
import { nodeName } from "../node-name.js";
import { parseJsonParameter } from "../query.js";

const systemDatabases = ["_users", "_replicator"];

export function membership(): Reply {
  return json({ all_nodes: [nodeName], cluster_nodes: [nodeName] });
}

/** `?ensure_dbs_exist=[...]` names the databases without which a node is not set up. */
export function clusterState({ query, services: { databases } }: Call): Reply {
  const text = query.get("ensure_dbs_exist");
  const names = databaseNames(text === undefined ? undefined : parseJsonParameter(text));
  const isComplete = names.every((name) => databases.exists(name));
  return json({ state: isComplete ? "single_node_enabled" : "single_node_disabled" });
}

/** Setup wizards end with a node that is set up; what would make it part of a cluster is refused. */
export async function setUpCluster(call: Call): Promise<Reply> {
  requireJson(call);
  const setup = await readJsonObject(call);
  const { action } = setup;
  if (action === "enable_single_node") await enableSingleNode(call, setup);
  else if (action === "finish_cluster") await ensureDatabases(call, setup["ensure_dbs_exist"]);
  else if (clusterActions.includes(action as string)) throw noCluster();
  else throw new CouchError("bad_request", "Invalid Action");
  return json({ ok: true }, 201);
}

const clusterActions = ["enable_cluster", "add_node", "remove_node", "receive_cookie"];

async function enableSingleNode(call: Call, setup: Readonly<Record<string, unknown>>): Promise<void> {
  const { username, password, bind_address: address, port } = setup;
  const { config, gateway } = call.services;
  if ((address !== undefined && address !== config.host) || (port !== undefined && Number(port) !== config.port)) {
    throw new CouchError(
      "bad_request",
      "bind_address and port are decided when the server starts: set SETTEE_HOST and SETTEE_PORT.",
    );
  }
  if (username !== undefined || password !== undefined) {
    if (typeof username !== "string" || typeof password !== "string") {
      throw new CouchError("bad_request", "username and password must be texts, and come together.");
    }
    await gateway.admins.set(username, password);
  }
  await ensureDatabases(call, setup["ensure_dbs_exist"]);
}

async function ensureDatabases({ services: { databases } }: Call, value: unknown): Promise<void> {
  for (const name of databaseNames(value)) {
    try {
      await databases.create(name);
    } catch (error) {
      if (!(error instanceof CouchError) || error.error !== "file_exists") throw error;
    }
  }
}

/** @throws CouchError bad_request, illegal_database_name */
function databaseNames(value: unknown = systemDatabases): readonly DatabaseName[] {
  if (!Array.isArray(value) || value.some((name) => typeof name !== "string")) {
    throw new CouchError("bad_request", "`ensure_dbs_exist` must be an array of names.");
  }
  return value.map(parseDatabaseName);
}

// Resharding: there are no shards, and so no jobs.

export function reshardSummary(): Reply {
  return json({ state: "stopped", state_reason: noShards, completed: 0, failed: 0, running: 0, stopped: 0, total: 0 });
}

export function reshardState(): Reply {
  return json({ state: "stopped", reason: noShards });
}

export function reshardJobs(): Reply {
  return json({ jobs: [], offset: 0, total_rows: 0 });
}

/** @throws CouchError always */
export function noReshardJob(): never {
  throw new CouchError("not_found", "missing");
}

/** @throws CouchError always */
export function refuseResharding(): never {
  throw new CouchError("not_implemented", noShards);
}

const noShards = "Databases have no shards here.";

function noCluster(): CouchError {
  return new CouchError("bad_request", "Settee is a single node and joins no cluster.");
}
