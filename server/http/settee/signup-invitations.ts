/** `/_settee/signup/invitations...`: who may sign up where sign-up is by invitation. */
import { invitationList, invitationView, newInvitationRequest } from "../../../protocol/account.js";
import { askerOf } from "./asker.js";
import { endpoint, ok } from "./endpoint.js";
import { limitOf } from "./users.js";

export const listInvitations = endpoint(
  {
    summary: "Invitations to sign up.",
    need: "user-manager",
    query: { after: "Those behind this id: `next` of the page before.", limit: "At most so many: 100 by default." },
    reply: invitationList,
    errors: ["query_parse_error"],
  },
  async (call) => ({
    answer: await call.services.gateway.people.managed.invitations(call.query.get("after"), limitOf(call)),
  }),
);

export const postInvitation = endpoint(
  {
    summary: "Makes an invitation. With an address it is mailed there, and its code is told to nobody else.",
    need: "user-manager",
    body: newInvitationRequest,
    reply: invitationView,
    status: 201,
    errors: ["forbidden"],
  },
  async (call, body) => ({
    answer: await call.services.gateway.people.managed.invite(call.identity, body, askerOf(call)),
  }),
);

export const deleteInvitation = endpoint(
  { summary: "Takes an invitation back.", need: "user-manager", reply: ok, errors: ["not_found"] },
  async (call) => {
    await call.services.gateway.people.managed.withdraw(call.params["id"] as string);
    return { answer: { ok: true as const } };
  },
);
