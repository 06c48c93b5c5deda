/** `/_settee/token`, in OAuth 2's words, its refusals too. */
import { revokeRequest, tokenReply, tokenRequest } from "../../../protocol/token.js";
import { type Call, json, type Reply } from "../call.js";
import { readFields } from "../form-body.js";
import { described, ok } from "./endpoint.js";

/** As OAuth asks: no cache may keep a token. */
const headers = { "Cache-Control": "no-store", Pragma: "no-cache" };

export const postToken = described(
  {
    summary: "An access token and a refresh token, for a password or for the refresh token before.",
    need: "public",
    body: tokenRequest,
    form: true,
    reply: tokenReply,
    errors: ["unauthorized", "forbidden"],
  },
  async (call: Call): Promise<Reply> => {
    const { services, address, headers: received } = call;
    const origin = { address, agent: received["user-agent"] };
    const { status, body } = await services.gateway.grantToken(await readFields(call), origin);
    return json(body, status, headers);
  },
);

export const postTokenRevoke = described(
  {
    summary: "Makes a refresh token and all that came of it void.",
    need: "public",
    body: revokeRequest,
    form: true,
    reply: ok,
  },
  async (call: Call): Promise<Reply> => {
    const { status, body } = await call.services.gateway.revoke(await readFields(call));
    return json(body, status, headers);
  },
);
