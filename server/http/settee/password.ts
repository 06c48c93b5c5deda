/** `/_settee/password/...`: changed with the one before, or with a token that is mailed to a verified address. */
import { changePasswordRequest, forgotPasswordRequest, resetPasswordRequest } from "../../../protocol/account.js";
import type { UserName } from "../../../protocol/ids.js";
import { askerOf, originOf, ownName } from "./asker.js";
import { endpoint, ok } from "./endpoint.js";

export const postChangePassword = endpoint(
  {
    summary: "Changes the caller's password. Every session ends but the cookie that asks.",
    need: "user",
    body: changePasswordRequest,
    reply: ok,
    errors: ["forbidden", "not_found"],
  },
  async (call, { password, new_password: next }) => {
    const { gateway } = call.services;
    await gateway.people.passwords.change(await ownName(call), password, next, askerOf(call));
    return { answer: { ok: true as const }, headers: await gateway.staysLoggedIn(call.identity, originOf(call)) };
  },
);

export const postForgotPassword = endpoint(
  {
    summary: "Mails a token to choose a new password. The answer is the same whether the account is known or not.",
    need: "public",
    body: forgotPasswordRequest,
    reply: ok,
    status: 202,
  },
  async (call, { email, name }) => {
    const who = email === undefined ? { user: name as UserName } : { address: email };
    await call.services.gateway.people.passwords.forgot(who, askerOf(call));
    return { answer: { ok: true as const } };
  },
);

export const postResetPassword = endpoint(
  {
    summary: "Sets the password of the account whose token it is. Every session ends.",
    need: "public",
    body: resetPasswordRequest,
    reply: ok,
    errors: ["forbidden"],
  },
  async (call, { token, password }) => {
    await call.services.gateway.people.passwords.reset(token, password, askerOf(call));
    return { answer: { ok: true as const } };
  },
);
