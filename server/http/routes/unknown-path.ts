import { CouchError } from "../../../protocol/errors.js";
import { isServerAdmin } from "../../../protocol/security.js";
import type { Call } from "../call.js";

/** Whatever no other row answers, in CouchDB's words. @throws CouchError always */
export function unknownPath({ identity, url }: Call): never {
  const path = url.replace(/^\/+/, "");
  if (path.startsWith("_settee/")) throw new CouchError("not_found", "There is no such endpoint.");
  // What begins with an underscore belongs to the server, and what is there is for administrators to know.
  if (path.startsWith("_") && !isServerAdmin(identity)) {
    throw new CouchError("unauthorized", "You are not a server admin.");
  }
  throw new CouchError("not_found", "Database does not exist.");
}
