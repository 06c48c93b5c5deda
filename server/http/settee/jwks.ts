/** `GET /_settee/jwks.json`: the keys by which others can check our access tokens themselves. */
import { jwks } from "../../../protocol/token.js";
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
