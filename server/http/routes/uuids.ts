import { randomBytes } from "node:crypto";
import { CouchError } from "../../../protocol/errors.js";
import { type Call, json, type Reply } from "../call.js";
import { newUuid } from "../uuids.js";

/** `GET /_uuids?count=N` */
export function uuids({ query, services }: Call): Reply {
  const { uuids: rules } = services.config;
  const list = Array.from({ length: countOf(query.get("count"), rules.maxCount) }, () => newUuid(rules));
  return json({ uuids: list }, 200, {
    // Two clients that are given the same ids by a cache would write into each other's documents.
    "Cache-Control": "no-cache",
    Pragma: "no-cache",
    Expires: "Fri, 01 Jan 1990 00:00:00 GMT",
    ETag: `"${randomBytes(16).toString("hex")}"`,
  });
}

function countOf(text = "1", maxCount: number): number {
  if (!/^\d{1,15}$/.test(text)) throw new CouchError("bad_request", "count must be a positive integer");
  const count = Number(text);
  if (count > maxCount) throw new CouchError("bad_request", "count parameter too large");
  return count;
}
