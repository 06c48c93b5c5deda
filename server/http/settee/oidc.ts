/** `/_settee/oidc`: the way to an outside provider and back. */
import { z } from "zod";
import { providerList } from "../../../protocol/outside.js";
import type { Sent } from "../../gateway/outside/oidc-log-ins.js";
import type { Call, Reply } from "../call.js";
import { described, endpoint } from "./endpoint.js";

export const getProviders = endpoint(
  { summary: "Outside providers with which one can log in here.", need: "public", reply: providerList },
  ({ services }) => ({ answer: { providers: [...services.gateway.oidc.list] } }),
);

export const startOidc = described(
  {
    summary: "Sends the browser to the provider.",
    need: "public",
    query: {
      redirect_to: "URL of the app to come back to, one of `oidc.redirects`; the first of them when absent",
      code_challenge: "SHA-256 of a verifier in base64url: the app gets a code instead of a session cookie",
    },
    status: 302,
    reply: z.null(),
    errors: ["bad_request", "not_found", "service_unavailable"],
  },
  async (call: Call): Promise<Reply> => {
    const { services, params, query, origin, overTls } = call;
    const sent = await services.gateway.oidc.start(params["provider"] as string, {
      origin: services.config.publicUrl?.replace(/\/+$/, "") ?? origin,
      overTls,
      redirect: query.get("redirect_to"),
      challenge: query.get("code_challenge"),
    });
    return redirection(sent);
  },
);

export const oidcCallback = described(
  {
    summary:
      "Where the provider sends the browser back to, on its way to the app: with a session cookie, `code` or `error`.",
    need: "public",
    status: 302,
    reply: z.null(),
    errors: ["bad_request", "not_found"],
  },
  async (call: Call): Promise<Reply> => {
    const { services, params, headers, url, overTls } = call;
    const question = url.indexOf("?");
    const sent = await services.gateway.oidc.callback(params["provider"] as string, {
      cookies: headers.cookie,
      query: question < 0 ? "" : url.slice(question + 1),
      overTls,
      device: { agent: headers["user-agent"] },
    });
    return redirection(sent);
  },
);

function redirection({ location, setCookies }: Sent): Reply {
  return {
    status: 302,
    headers: {
      Location: location,
      "Set-Cookie": setCookies,
      "Cache-Control": "no-store",
      // The address of the way back holds the provider's code.
      "Referrer-Policy": "no-referrer",
    },
  };
}
