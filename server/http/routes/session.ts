/** `/_session`: log in for a cookie, ask who one is, log out. */
import { CouchError } from "../../../protocol/errors.js";
import { loggedIn } from "../../gateway/session-info.js";
import { type Call, json, type Reply } from "../call.js";
import { readFields } from "../form-body.js";

export function getSession({ services, identity, query }: Call): Reply {
  return json(services.gateway.sessionInfo(identity, query.get("basic") === "true"));
}

export async function postSession(call: Call): Promise<Reply> {
  const { services, query, address, overTls, headers } = call;
  const body = await readFields(call);
  const success = redirection(call, query.get("next"));
  const failure = redirection(call, query.get("fail"));
  try {
    const { identity, setCookie } = await services.gateway.logIn(body, {
      address,
      overTls,
      agent: headers["user-agent"],
    });
    return json(loggedIn(identity), success ? 302 : 200, { ...success, "Set-Cookie": setCookie });
  } catch (error) {
    if (!failure || !(error instanceof CouchError) || error.error !== "unauthorized") throw error;
    return json({ error: error.error, reason: error.reason }, 302, { ...error.headers, ...failure });
  }
}

export async function deleteSession(call: Call): Promise<Reply> {
  const { services, standing, overTls, query } = call;
  const redirect = redirection(call, query.get("next"));
  const setCookie = await services.gateway.logOut(standing, overTls);
  return json({ ok: true }, redirect ? 302 : 200, { ...redirect, "Set-Cookie": setCookie });
}

/**
 * Only to a path of this server: `//elsewhere` and `/\elsewhere` are other hosts to a browser, and a link to a log-in page
 * that leads there is bait. CouchDB lets the first one pass.
 * @throws CouchError bad_request
 */
function redirection({ origin }: Call, path: string | undefined): Readonly<Record<string, string>> | undefined {
  if (path === undefined) return undefined;
  if (!/^\/(?![/\\])[\x20-\x7e]*$/.test(path)) throw new CouchError("bad_request", "path must begin with a /.");
  return { Location: origin + path, "Cache-Control": "must-revalidate" };
}
