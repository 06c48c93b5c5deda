import { CouchError } from "../../../protocol/errors.js";
import { type DatabaseName, parseDatabaseName, parseUserName, type UserName } from "../../../protocol/ids.js";
import type { Call } from "../call.js";

/** The database that a path names. @throws CouchError not_found for what cannot be one */
export function databaseNameOf({ params }: Call): DatabaseName {
  return parsed(params["name"], parseDatabaseName, "Database does not exist.");
}

/** The user that a path names. @throws CouchError not_found for what cannot be one */
export function userNameOf({ params }: Call): UserName {
  return parsed(params["user"], parseUserName, "There is no such user.");
}

function parsed<T>(text: string | undefined, parse: (text: string) => T, missing: string): T {
  try {
    return parse(text ?? "");
  } catch (error) {
    if (error instanceof CouchError) throw new CouchError("not_found", missing);
    throw error;
  }
}
