import { signUpReply, signUpRequest } from "../../../protocol/account.js";
import { endpoint } from "./endpoint.js";

/** `POST /_settee/signup` */
export const postSignup = endpoint(
  {
    summary: "Makes an account and the database that belongs to it.",
    need: "public",
    body: signUpRequest,
    reply: signUpReply,
    status: 201,
    errors: ["conflict"],
  },
  async ({ services }, body) => ({ answer: await services.gateway.signUp(body) }),
);
