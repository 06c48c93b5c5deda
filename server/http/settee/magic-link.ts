/** `/_settee/magic-link...`: log-in by a mailed link. */
import { z } from "zod";
import { emailBody, magicLinkUse } from "../../../protocol/account.js";
import { tokenReply } from "../../../protocol/token.js";
import { loggedIn } from "../../gateway/session-info.js";
import { askerOf, originOf } from "./asker.js";
import { endpoint, ok } from "./endpoint.js";

export const postMagicLink = endpoint(
  {
    summary: "Mails a link to log in. The answer is the same whether the address is known or not.",
    need: "public",
    body: emailBody,
    reply: ok,
    status: 202,
    errors: ["forbidden"],
  },
  async (call, { email }) => {
    await call.services.gateway.people.magicLinks.send(email, askerOf(call));
    return { answer: { ok: true as const } };
  },
);

const sessionReply = z.strictObject({ ok: z.literal(true), name: z.string().nullable(), roles: z.array(z.string()) });

export const postMagicLinkSession = endpoint(
  {
    summary: "Logs in with the token of a link, for a cookie.",
    need: "public",
    body: magicLinkUse,
    reply: sessionReply,
    errors: ["forbidden", "unauthorized"],
  },
  async (call, { token, totp }) => {
    const { gateway } = call.services;
    const principal = await gateway.people.magicLinks.use(token, totp);
    const { identity, setCookie } = await gateway.beginSession(principal, originOf(call));
    const { ok: done, name, roles } = loggedIn(identity);
    return { answer: { ok: done, name, roles: [...roles] }, headers: { "Set-Cookie": setCookie } };
  },
);

export const postMagicLinkToken = endpoint(
  {
    summary: "Logs in with the token of a link, for an access token and a refresh token.",
    need: "public",
    body: magicLinkUse,
    reply: tokenReply,
    errors: ["forbidden", "unauthorized"],
  },
  async (call, { token, totp }) => {
    const { gateway } = call.services;
    const principal = await gateway.people.magicLinks.use(token, totp);
    return { answer: await gateway.grantTo(principal, originOf(call)), headers: { "Cache-Control": "no-store" } };
  },
);
