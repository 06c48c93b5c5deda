import { decide } from "../gateway/access.js";
import type { DatabaseCall } from "./call.js";

/** Whether the caller may see what belongs to members even where anybody may read: local documents, and who the members are. */
export function isMember({ database, identity }: Pick<DatabaseCall, "database" | "identity">): boolean {
  return decide(identity, database.security(), "member") === "allowed";
}
