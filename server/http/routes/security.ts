/** `/{db}/_security`. */
import { parseSecurity } from "../../../protocol/security.js";
import { readJsonObject } from "../body.js";
import { type DatabaseCall, json, type Reply } from "../call.js";

export function readSecurity({ database }: DatabaseCall): Reply {
  return json(database.security());
}

export async function writeSecurity(call: DatabaseCall): Promise<Reply> {
  await call.database.setSecurity(parseSecurity(await readJsonObject(call)));
  return json({ ok: true });
}
