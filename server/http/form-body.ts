/** Bodies that log-ins and OAuth send as JSON or as a form. */
import { CouchError } from "../../protocol/errors.js";
import { readBody, readJson } from "./body.js";
import type { Call } from "./call.js";

/** Names, passwords and tokens: these are read of strangers, and are short. */
const maxBody = 64 * 1024;
const form = "application/x-www-form-urlencoded";

/** A form's fields, of which the first of a name counts; or whatever JSON holds. @throws CouchError bad_content_type, bad_request */
export async function readFields(call: Call): Promise<unknown> {
  const type = call.headers["content-type"]?.split(";", 1)[0]?.trim();
  if (type === "application/json") return readJson(call, maxBody);
  if (type !== form) {
    throw new CouchError("bad_content_type", `Content-Type must be '${form}' or 'application/json'`);
  }
  const fields = [...new URLSearchParams((await readBody(call, maxBody)).toString("utf8"))];
  // The last of a name wins in an object: reversed, that is the first.
  return Object.fromEntries(fields.reverse());
}
