/** `/_settee/sessions`: where the caller is logged in, and logging out there. */

import type { UserName } from "../../../protocol/ids.js";
import { endSessionsReply, endSessionsRequest, sessionList } from "../../../protocol/session.js";
import type { Caller } from "../../gateway/sessions/log-ins.js";
import type { Call } from "../call.js";
import { endpoint, ok } from "./endpoint.js";

/** Of a route that needs a user. */
function callerOf({ identity, standing }: Call): Caller {
  return { name: identity.name as UserName, standing };
}

/** A cookie that is worth nothing any more is taken away as well. */
function withoutCookie({ services, overTls }: Call): { readonly "Set-Cookie": string } {
  return { "Set-Cookie": services.gateway.clearCookie(overTls) };
}

export const getSessions = endpoint(
  { summary: "The caller's sessions: browsers and apps that are logged in.", need: "user", reply: sessionList },
  async (call) => ({ answer: { sessions: [...(await call.services.gateway.logIns.list(callerOf(call)))] } }),
);

export const deleteSession = endpoint(
  { summary: "Ends one of the caller's sessions.", need: "user", reply: ok, errors: ["not_found"] },
  async (call) => {
    const caller = callerOf(call);
    const id = call.params["session"] as string;
    const isOwn = caller.standing?.session?.endsWith(id) === true && call.identity.method === "cookie";
    await call.services.gateway.logIns.end(caller, id);
    return { answer: { ok: true as const }, ...(isOwn && { headers: withoutCookie(call) }) };
  },
);

export const endSessions = endpoint(
  {
    summary: "Ends the caller's session (here), all others (elsewhere), or all (everywhere).",
    need: "user",
    body: endSessionsRequest,
    reply: endSessionsReply,
  },
  async (call, { which }) => {
    const answer = await call.services.gateway.logIns.endMany(callerOf(call), which);
    const isGone = which !== "elsewhere" && call.identity.method === "cookie";
    return { answer, ...(isGone && { headers: withoutCookie(call) }) };
  },
);
