/** `/{db}`: create, describe, delete. */
import { CouchError } from "../../../protocol/errors.js";
import { parseDatabaseName } from "../../../protocol/ids.js";
import { isSystemDatabase } from "../../gateway/system-databases.js";
import { type Call, type DatabaseCall, json, type Reply } from "../call.js";
import { databaseInfo } from "../database-info.js";
import { locationOf } from "../locations.js";

export async function createDatabase(call: Call): Promise<Reply> {
  const name = parseDatabaseName(call.params["db"] as string);
  checkPlacement(call);
  const partitioned = call.query.flag("partitioned");
  if (partitioned && isSystemDatabase(name)) throw new CouchError("bad_request", "Cannot partition a system database");
  await call.services.databases.create(name, { partitioned });
  return json({ ok: true }, 201, { Location: locationOf(call, name) });
}

export async function describeDatabase({ database }: DatabaseCall): Promise<Reply> {
  return json(await databaseInfo(database));
}

export async function deleteDatabase(call: DatabaseCall): Promise<Reply> {
  if (call.query.has("rev")) {
    throw new CouchError(
      "bad_request",
      "You tried to DELETE a database with a ?=rev parameter. Did you mean to DELETE a document instead?",
    );
  }
  await call.services.databases.delete(call.database.name);
  return json({ ok: true });
}

/** Shards, copies and engines are a cluster's; a single node checks them and needs none. */
function checkPlacement({ query }: Call): void {
  for (const name of ["q", "n"]) {
    const text = query.get(name);
    if (text !== undefined && !/^[1-9]\d{0,9}$/.test(text)) {
      throw new CouchError("bad_request", `The \`${name}\` value should be a positive integer.`);
    }
  }
  const partitioned = query.get("partitioned");
  if (partitioned !== undefined && partitioned !== "true" && partitioned !== "false") {
    throw new CouchError("bad_request", "Invalid `partitioned` parameter");
  }
  const placement = query.get("placement");
  if (placement !== undefined && !/^[^:,]+:\d+(,[^:,]+:\d+)*$/.test(placement)) {
    throw new CouchError("bad_request", "The `placement` value should be in a format `zone:n`.");
  }
  const engine = query.get("engine");
  if (engine !== undefined && engine !== "couch") throw new CouchError("bad_request", "invalid_engine_extension");
}
