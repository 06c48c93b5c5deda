import { readJson, requireJson } from "../../body.js";
import { type Call, json, type Reply } from "../../call.js";

/** A name, a password and an address. */
const maxBody = 64 * 1024;

/** `POST /_settee/signup` */
export async function postSignup(call: Call): Promise<Reply> {
  requireJson(call);
  return json(await call.services.gateway.signUp(await readJson(call, maxBody)), 201);
}
