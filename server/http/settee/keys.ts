/** The keys of access tokens: for those who check tokens themselves, and for the operator who changes them. */
import { fields } from "../../../protocol/fields.js";
import { jwks, rotateKeysReply } from "../../../protocol/token.js";
import { endpoint } from "./endpoint.js";

/** Seconds. After a rotation the former key still verifies for longer than that. */
const cacheLife = 300;

export const getJwks = endpoint(
  {
    summary: "Public keys of access tokens, as a JWK set; empty while they are signed with a secret (HS256).",
    need: "public",
    reply: jwks,
  },
  ({ services }) => ({
    answer: services.gateway.keys.jwks,
    headers: { "Cache-Control": `public, max-age=${cacheLife}` },
  }),
);

export const rotateKeys = endpoint(
  {
    summary: "A new key signs access tokens from now on; the one before verifies until its tokens have expired.",
    need: "server-admin",
    // An empty object: a form on another site cannot send JSON.
    body: fields({}),
    reply: rotateKeysReply,
  },
  async ({ services }) => ({ answer: { ok: true as const, kid: await services.gateway.keys.rotate() } }),
);
