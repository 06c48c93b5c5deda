/** `/_settee/databases`: those that users make, and who is a member of them. */
import {
  databaseDescription,
  memberRequest,
  newDatabaseRequest,
  publicRequest,
  titleRequest,
  transferRequest,
} from "../../../protocol/sharing.js";
import { databaseNameOf, userNameOf } from "./database-name.js";
import { endpoint, ok } from "./endpoint.js";

const done = { answer: { ok: true as const } };

export const createSharedDatabase = endpoint(
  {
    summary: "Makes a database from a template, shared or private; the caller is its owner.",
    need: "user",
    body: newDatabaseRequest,
    reply: databaseDescription,
    status: 201,
    errors: ["insufficient_storage"],
  },
  async ({ services, identity }, body) => ({ answer: await services.gateway.sharing.databases.make(identity, body) }),
);

export const describeSharedDatabase = endpoint(
  {
    summary: "A database that the caller is a member of, and its members.",
    need: "user",
    reply: databaseDescription,
    errors: ["not_found"],
  },
  async (call) => {
    const { services, identity } = call;
    return { answer: await services.gateway.sharing.databases.describe(identity, databaseNameOf(call)) };
  },
);

export const putTitle = endpoint(
  {
    summary: "Gives a database another title. Owners.",
    need: "user",
    body: titleRequest,
    reply: databaseDescription,
    errors: ["not_found", "forbidden"],
  },
  async (call, { title }) => {
    const { services, identity } = call;
    return { answer: await services.gateway.sharing.databases.setTitle(identity, databaseNameOf(call), title) };
  },
);

export const deleteSharedDatabase = endpoint(
  {
    summary: "Closes a database at once, and erases it when its grace is over. Whoever it belongs to.",
    need: "user",
    reply: ok,
    errors: ["not_found", "forbidden"],
  },
  async (call) => {
    await call.services.gateway.sharing.databases.remove(call.identity, databaseNameOf(call));
    return done;
  },
);

export const putMember = endpoint(
  {
    summary: "Makes a user a member, or gives them another role. Owners.",
    need: "user",
    body: memberRequest,
    reply: databaseDescription,
    errors: ["not_found", "forbidden", "conflict"],
  },
  async (call, { role }) => {
    const { services, identity } = call;
    const { databases } = services.gateway.sharing;
    return { answer: await databases.grant(identity, databaseNameOf(call), userNameOf(call), role) };
  },
);

export const removeMember = endpoint(
  {
    summary: "Puts a member out: owners. Of oneself: leaves.",
    need: "user",
    reply: ok,
    errors: ["not_found", "forbidden", "conflict"],
  },
  async (call) => {
    const { services, identity } = call;
    await services.gateway.sharing.databases.revoke(identity, databaseNameOf(call), userNameOf(call));
    return done;
  },
);

export const transferDatabase = endpoint(
  {
    summary: "Gives a database to another member, for whose quota it counts from now on. Whoever it belongs to.",
    need: "user",
    body: transferRequest,
    reply: databaseDescription,
    errors: ["not_found", "forbidden", "insufficient_storage", "document_too_large"],
  },
  async (call, { to }) => {
    const { services, identity } = call;
    return { answer: await services.gateway.sharing.databases.transfer(identity, databaseNameOf(call), to) };
  },
);

export const putPublic = endpoint(
  {
    summary: "Lets anybody read a database, or members alone. Owners.",
    need: "user",
    body: publicRequest,
    reply: databaseDescription,
    errors: ["not_found", "forbidden"],
  },
  async (call, { read }) => {
    const { services, identity } = call;
    return { answer: await services.gateway.sharing.databases.setPublic(identity, databaseNameOf(call), read) };
  },
);
