/** `/_settee/token`, in OAuth 2's words. */

import { type Call, json, type Reply } from "../../call.js";
import { readFields } from "../../form-body.js";

/** As OAuth asks: no cache may keep a token. */
const headers = { "Cache-Control": "no-store", Pragma: "no-cache" };

export async function postToken(call: Call): Promise<Reply> {
  const { services, address, overTls } = call;
  const { status, body } = await services.gateway.grantToken(await readFields(call), { address, overTls });
  return json(body, status, headers);
}

export async function postTokenRevoke(call: Call): Promise<Reply> {
  const { status, body } = await call.services.gateway.revoke(await readFields(call));
  return json(body, status, headers);
}
