/** `/_settee/identities`: outside identities that log in as the caller. */
import type { UserName } from "../../../protocol/ids.js";
import { identityList, linkRequest } from "../../../protocol/outside.js";
import type { Call } from "../call.js";
import { endpoint, ok } from "./endpoint.js";

/** Of a route that needs a user. */
const userOf = ({ identity }: Call): UserName => identity.name as UserName;

export const getIdentities = endpoint(
  { summary: "Outside identities that log in as the caller.", need: "user", reply: identityList },
  async (call) => ({ answer: { identities: await call.services.gateway.identities.list(userOf(call)) } }),
);

export const linkIdentity = endpoint(
  {
    summary: "Links the outside identity that a code of `/_settee/oidc` is for with the caller's account.",
    need: "user",
    body: linkRequest,
    reply: ok,
    errors: ["conflict", "forbidden"],
  },
  async (call, { code, code_verifier: verifier }) => {
    await call.services.gateway.identities.link(userOf(call), code, verifier);
    return { answer: { ok: true as const } };
  },
);

export const unlinkIdentity = endpoint(
  {
    summary: "That identity does not log in as the caller any more; the only way in cannot be taken away.",
    need: "user",
    reply: ok,
    errors: ["not_found", "forbidden"],
  },
  async (call) => {
    await call.services.gateway.identities.unlink(userOf(call), call.params["identity"] as string);
    return { answer: { ok: true as const } };
  },
);
