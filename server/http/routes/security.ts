/** `/{db}/_security`. */
import { CouchError } from "../../../protocol/errors.js";
import { parseSecurity } from "../../../protocol/security.js";
import { readJsonObject } from "../body.js";
import { type DatabaseCall, json, type Reply } from "../call.js";

export function readSecurity({ database }: DatabaseCall): Reply {
  return json(database.security());
}

export async function writeSecurity(call: DatabaseCall): Promise<Reply> {
  const { database, services } = call;
  if (database.kind === "users" && !services.config.accounts.usersSecurityEditable) {
    throw new CouchError("forbidden", "You can't edit the security object of the user database.");
  }
  await database.setSecurity(parseSecurity(await readJsonObject(call)));
  return json({ ok: true });
}
