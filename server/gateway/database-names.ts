/** Names of per-user databases, as couch_peruser makes them: `userdb-` and the user's name as hexadecimal UTF-8. */
import { maxUserNameBytes } from "../../protocol/account.js";
import { CouchError } from "../../protocol/errors.js";
import { type DatabaseName, parseDatabaseName, parseUserName, type UserName } from "../../protocol/ids.js";

const prefix = "userdb-";

/** @throws CouchError bad_request when the name is too long to name a database */
export function userDatabaseName(user: UserName): DatabaseName {
  const bytes = Buffer.from(user, "utf8");
  if (bytes.length > maxUserNameBytes) {
    throw new CouchError("bad_request", `A user name is at most ${maxUserNameBytes} bytes of UTF-8.`);
  }
  return parseDatabaseName(prefix + bytes.toString("hex"));
}

export function isUserDatabaseName(name: string): boolean {
  return name.startsWith(prefix);
}

/** Whose database it is; undefined for any other name, and for hexadecimal that is not a user's name. */
export function userOfDatabase(name: string): UserName | undefined {
  if (!isUserDatabaseName(name)) return undefined;
  const bytes = Buffer.from(name.slice(prefix.length), "hex");
  try {
    const user = parseUserName(bytes.toString("utf8"));
    // Decoding forgives cut-off pairs and bad UTF-8; only the exact name leads back to where it came from.
    return userDatabaseName(user) === name ? user : undefined;
  } catch {
    return undefined;
  }
}
