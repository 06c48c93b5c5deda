/** Invitations to shared databases. */
import { z } from "zod";
import { CouchError } from "../../../protocol/errors.js";
import {
  acceptRequest,
  declineRequest,
  invitation,
  invitationId,
  invitationRequest,
  newInvitation,
} from "../../../protocol/sharing.js";
import { databaseNameOf } from "./database-name.js";
import { endpoint, ok } from "./endpoint.js";

const list = z.strictObject({ invitations: z.array(invitation) });
const done = { answer: { ok: true as const } };

export const inviteToDatabase = endpoint(
  {
    summary:
      "Invites a user by name, somebody by e-mail, or whoever has the link of which the token is answered. Owners.",
    need: "user",
    body: invitationRequest,
    reply: newInvitation,
    status: 201,
    errors: ["not_found", "forbidden"],
  },
  async (call, body) => {
    const { services, identity } = call;
    return { answer: await services.gateway.sharing.invitations.invite(identity, databaseNameOf(call), body) };
  },
);

export const listDatabaseInvitations = endpoint(
  {
    summary: "Invitations to a database, and who has accepted them. Owners.",
    need: "user",
    reply: list,
    errors: ["not_found", "forbidden"],
  },
  async (call) => {
    const { services, identity } = call;
    const invitations = await services.gateway.sharing.invitations.list(identity, databaseNameOf(call));
    return { answer: { invitations: [...invitations] } };
  },
);

export const deleteDatabaseInvitation = endpoint(
  {
    summary: "Takes an invitation back; whoever has accepted it stays a member. Owners.",
    need: "user",
    reply: ok,
    errors: ["not_found", "forbidden"],
  },
  async (call) => {
    const { services, identity, params } = call;
    const id = invitationId.safeParse(params["id"]);
    if (!id.success) throw new CouchError("not_found", "There is no such invitation.");
    await services.gateway.sharing.invitations.withdraw(identity, databaseNameOf(call), id.data);
    return done;
  },
);

export const listMyInvitations = endpoint(
  {
    summary: "Invitations that the caller can accept: by their name, and by their address once it is verified.",
    need: "user",
    reply: list,
  },
  async ({ services, identity }) => ({
    answer: { invitations: [...(await services.gateway.sharing.invitations.mine(identity))] },
  }),
);

export const acceptInvitation = endpoint(
  {
    summary: "Makes the caller a member, by the id of an invitation that is for them or by a token.",
    need: "user",
    body: acceptRequest,
    reply: z.strictObject({ ok: z.literal(true), database: z.string() }),
    errors: ["not_found", "forbidden"],
  },
  async ({ services, identity }, body) => {
    const database = await services.gateway.sharing.invitations.accept(identity, body);
    return { answer: { ok: true as const, database } };
  },
);

export const declineInvitation = endpoint(
  {
    summary: "Says no to an invitation that is for the caller.",
    need: "user",
    body: declineRequest,
    reply: ok,
    errors: ["not_found"],
  },
  async ({ services, identity }, { id }) => {
    await services.gateway.sharing.invitations.decline(identity, id);
    return done;
  },
);
