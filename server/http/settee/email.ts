/** `/_settee/email/...`: addresses are verified by a token that is mailed to them. */
import { z } from "zod";
import { changeEmailRequest, nameBody, tokenBody } from "../../../protocol/account.js";
import { askerOf, ownName } from "./asker.js";
import { endpoint, ok } from "./endpoint.js";

export const postVerifyEmail = endpoint(
  {
    summary: "Verifies the address that the token was mailed to.",
    need: "public",
    body: tokenBody,
    form: true,
    reply: z.strictObject({ ok: z.literal(true), name: z.string() }),
    errors: ["forbidden", "conflict"],
  },
  async (call, { token }) => {
    const name = await call.services.gateway.people.emails.verify(token, askerOf(call));
    return { answer: { ok: true as const, name } };
  },
);

export const postSendVerification = endpoint(
  {
    summary: "Mails the token to verify the caller's address once more.",
    need: "user",
    reply: ok,
    status: 202,
    errors: ["not_found", "conflict"],
  },
  async (call) => {
    await call.services.gateway.people.emails.sendVerification(await ownName(call), askerOf(call));
    return { answer: { ok: true as const } };
  },
);

export const postResendVerification = endpoint(
  {
    summary: "Mails the token to verify an address to whoever waits for it, whether there is such an account or not.",
    need: "public",
    body: nameBody,
    reply: ok,
    status: 202,
  },
  async (call, { name }) => {
    await call.services.gateway.people.emails.resendVerification(name, askerOf(call));
    return { answer: { ok: true as const } };
  },
);

export const postChangeEmail = endpoint(
  {
    summary: "Mails a token to the new address, which takes the place of the old one when it is verified.",
    need: "user",
    body: changeEmailRequest,
    reply: ok,
    status: 202,
    errors: ["forbidden", "not_found"],
  },
  async (call, { password, email }) => {
    const { people } = call.services.gateway;
    const name = await ownName(call);
    await people.passwords.prove(name, password, askerOf(call));
    await people.emails.change(name, email, askerOf(call));
    return { answer: { ok: true as const } };
  },
);
