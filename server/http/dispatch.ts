/** From a request to its handler: the row of its method, what that needs of the caller, the database that the path names. */
import { CouchError } from "../../protocol/errors.js";
import { type DatabaseName, parseDatabaseName } from "../../protocol/ids.js";
import { type Identity, isServerAdmin } from "../../protocol/security.js";
import type { DatabaseNeed, ServerNeed } from "../gateway/access.js";
import type { Call, DatabaseCall, Reply } from "./call.js";
import { parseQuery, type Query } from "./query.js";
import type { ReceivedCall } from "./received-call.js";
import type { PathRoutes, Route } from "./route.js";
import type { Services } from "./services.js";

/** @throws CouchError what the row needs and the caller lacks, or whatever the handler does */
export async function dispatch(call: ReceivedCall, route: Route): Promise<Reply> {
  const { identity, params, services } = call;
  if (params["db"] === undefined || "creates" in route) {
    services.access.check(identity, route.need as ServerNeed);
    return await (route.handler as (call: Call) => Reply | Promise<Reply>)(call);
  }
  const { database } = await services.access.open(identity, nameOf(params["db"], identity), route.need as DatabaseNeed);
  return await (route.handler as (call: DatabaseCall) => Reply | Promise<Reply>)(call.withDatabase(database));
}

/** @throws CouchError method_not_allowed */
export function routeFor(routes: PathRoutes, method: string): Route {
  const route = routes.methods[method] ?? (method === "HEAD" ? routes.methods["GET"] : undefined);
  if (route) return route;
  throw new CouchError("method_not_allowed", `Only ${routes.allow} allowed`, { headers: { Allow: routes.allow } });
}

/** @throws CouchError bad_request */
export function checkLength(url: string, { config }: Services): void {
  const { maxUriLength } = config.limits;
  if (url.length <= maxUriLength) return;
  throw new CouchError("bad_request", `A URL may have at most ${maxUriLength} characters.`);
}

/** @throws CouchError bad_request for bad percent-encoding */
export function queryOf(url: string): Query {
  const question = url.indexOf("?");
  return parseQuery(question < 0 ? undefined : url.slice(question + 1));
}

/** A name that cannot be is a database that does not exist. @throws CouchError not_found, unauthorized */
function nameOf(text: string, identity: Identity): DatabaseName | "_me" {
  if (text === "_me") return text;
  try {
    return parseDatabaseName(text);
  } catch {
    // What begins with an underscore belongs to the server, and what is there is for administrators to know.
    if (text.startsWith("_") && !isServerAdmin(identity))
      throw new CouchError("unauthorized", "You are not a server admin.");
    throw new CouchError("not_found", "Database does not exist.");
  }
}
