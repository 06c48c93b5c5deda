import { accountView, anonymousReply, claimRequest, signUpReply, signUpRequest } from "../../../protocol/account.js";
import { askerOf, originOf, ownName } from "./asker.js";
import { endpoint } from "./endpoint.js";

/** `POST /_settee/signup` */
export const postSignup = endpoint(
  {
    summary: "Makes an account and the database that belongs to it.",
    need: "public",
    body: signUpRequest,
    reply: signUpReply,
    status: 201,
    errors: ["forbidden", "conflict"],
  },
  async (call, body) => ({ answer: await call.services.gateway.people.signUps.signUp(body, askerOf(call)) }),
);

/** `POST /_settee/anonymous` */
export const postAnonymous = endpoint(
  {
    summary: "Makes an account without a name or address of its user's, to be claimed later.",
    need: "public",
    reply: anonymousReply,
    status: 201,
    errors: ["forbidden"],
  },
  async (call) => ({
    answer: await call.services.gateway.people.signUps.anonymous(askerOf(call)),
    headers: { "Cache-Control": "no-store" },
  }),
);

/** `POST /_settee/claim` */
export const postClaim = endpoint(
  {
    summary: "Makes the caller's anonymous account a real one, with a password and perhaps an address; its data stay.",
    need: "user",
    body: claimRequest,
    reply: accountView,
    errors: ["not_found", "conflict"],
  },
  async (call, body) => {
    const { gateway } = call.services;
    const name = await ownName(call);
    const answer = await gateway.people.own.claim(name, body, askerOf(call));
    return { answer, headers: await gateway.staysLoggedIn(call.identity, originOf(call)) };
  },
);
