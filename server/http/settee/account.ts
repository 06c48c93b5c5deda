/** `/_settee/account`: the caller's own. */
import { accountView, activityReply, changeAccountRequest, proofRequest } from "../../../protocol/account.js";
import { askerOf, ownName } from "./asker.js";
import { endpoint, ok } from "./endpoint.js";

export const getAccount = endpoint(
  { summary: "The caller's account.", need: "user", reply: accountView, errors: ["not_found"] },
  async (call) => ({ answer: await call.services.gateway.people.own.describe(await ownName(call)) }),
);

export const putAccount = endpoint(
  {
    summary: "Changes what is given: the display name, the language of mails, the profile. null takes away.",
    need: "user",
    body: changeAccountRequest,
    reply: accountView,
    errors: ["not_found"],
  },
  async (call, body) => ({
    answer: await call.services.gateway.people.own.change(await ownName(call), body, askerOf(call)),
  }),
);

export const getActivity = endpoint(
  {
    summary: "What happened to the caller's account lately, the latest first.",
    need: "user",
    reply: activityReply,
    errors: ["not_found"],
  },
  async (call) => {
    const name = await ownName(call);
    return { answer: { activity: [...(await call.services.gateway.people.activity.of(name))] } };
  },
);

export const postDeleteAccount = endpoint(
  {
    summary: "Deletes the caller's account, and their databases where the server is set so.",
    need: "user",
    body: proofRequest,
    reply: ok,
    errors: ["forbidden", "not_found"],
  },
  async (call, { password, totp }) => {
    const { people } = call.services.gateway;
    const name = await ownName(call);
    await people.prove(name, password, totp, askerOf(call));
    await people.removal.remove(name);
    return {
      answer: { ok: true as const },
      headers: { "Set-Cookie": call.services.gateway.clearCookie(call.overTls) },
    };
  },
);
