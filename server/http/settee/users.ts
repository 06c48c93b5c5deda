/** `/_settee/users...`: accounts in the hands of server administrators and user managers. */
import {
  accountView,
  activityReply,
  changeUserRequest,
  newUserRequest,
  resetUserPasswordRequest,
  signUpReply,
  userList,
} from "../../../protocol/account.js";
import { CouchError } from "../../../protocol/errors.js";
import type { Call } from "../call.js";
import { askerOf } from "./asker.js";
import { endpoint, ok } from "./endpoint.js";

const managed = ({ services }: Call) => services.gateway.people.managed;
const nameOf = ({ params }: Call): string => params["name"] as string;

const mostListed = 1000;

/** @throws CouchError query_parse_error */
export function limitOf({ query }: Call): number {
  const text = query.get("limit") ?? "100";
  const limit = Number(text);
  if (Number.isInteger(limit) && limit >= 1 && limit <= mostListed) return limit;
  throw new CouchError("query_parse_error", `limit is a whole number from 1 to ${mostListed}.`);
}

export const listUsers = endpoint(
  {
    summary: "Accounts in the order of their names.",
    need: "user-manager",
    query: {
      prefix: "Only names that begin so.",
      email: "Only the account that has this verified address.",
      after: "Names behind this one: `next` of the page before.",
      limit: `At most so many: 100 by default, ${mostListed} at most.`,
    },
    reply: userList,
    errors: ["query_parse_error"],
  },
  async (call) => {
    const { query } = call;
    const [prefix, after, email] = [query.get("prefix") ?? "", query.get("after"), query.get("email")];
    return { answer: await managed(call).list({ prefix, after, email, limit: limitOf(call) }) };
  },
);

export const postUser = endpoint(
  {
    summary: "Makes an account. Without a password its user chooses one by a mailed link.",
    need: "user-manager",
    body: newUserRequest,
    reply: signUpReply,
    status: 201,
    errors: ["forbidden", "conflict"],
  },
  async (call, body) => ({ answer: await managed(call).create(call.identity, body, askerOf(call)) }),
);

export const getUser = endpoint(
  { summary: "One account.", need: "user-manager", reply: accountView, errors: ["not_found"] },
  async (call) => ({ answer: await managed(call).describe(nameOf(call)) }),
);

export const putUser = endpoint(
  {
    summary: "Changes what is given of an account. A disabled account's sessions are worth nothing at once.",
    need: "user-manager",
    body: changeUserRequest,
    reply: accountView,
    errors: ["forbidden", "not_found", "conflict"],
  },
  async (call, body) => ({ answer: await managed(call).change(call.identity, nameOf(call), body, askerOf(call)) }),
);

export const deleteUser = endpoint(
  {
    summary: "Deletes an account, and its databases where the server is set so.",
    need: "user-manager",
    reply: ok,
    errors: ["forbidden", "not_found"],
  },
  async (call) => {
    await managed(call).remove(call.identity, nameOf(call));
    return { answer: { ok: true as const } };
  },
);

export const postUserPassword = endpoint(
  {
    summary: "Sets the password of an account, or has its user mailed a link to choose one.",
    need: "user-manager",
    body: resetUserPasswordRequest,
    reply: ok,
    errors: ["forbidden", "not_found", "conflict"],
  },
  async (call, { password }) => {
    await managed(call).resetPassword(call.identity, nameOf(call), password, askerOf(call));
    return { answer: { ok: true as const } };
  },
);

export const getUserActivity = endpoint(
  {
    summary: "What happened to an account lately, the latest first.",
    need: "user-manager",
    reply: activityReply,
    errors: ["not_found"],
  },
  async (call) => ({ answer: { activity: [...(await managed(call).activityOf(nameOf(call)))] } }),
);
