/** From a request to its handler: the row of its method, what that needs of the caller, the database that the path names. */
import { CouchError } from "../../protocol/errors.js";
import { type DatabaseName, parseDatabaseName } from "../../protocol/ids.js";
import { type Identity, isServerAdmin } from "../../protocol/security.js";
import type { DatabaseNeed, ServerNeed } from "../gateway/access.js";
import type { Call, DatabaseCall, Reply, RewrittenRequest } from "./call.js";
import { guarded } from "./guarded-database.js";
import type { FoundRoutes } from "./path-router.js";
import { parseQuery, type Query } from "./query.js";
import type { ReceivedCall } from "./received-call.js";
import type { PathRoutes, Route } from "./route.js";
import { isSafe } from "./same-origin.js";
import type { Services } from "./services.js";

/** `path`: of the row. @throws CouchError what the row needs and the caller lacks, or whatever the handler does */
export async function dispatch(call: ReceivedCall, route: Route, path: string): Promise<Reply> {
  const { identity, params, services } = call;
  if (params["db"] === undefined || "creates" in route) {
    services.access.check(identity, route.need as ServerNeed);
    return await (route.handler as (call: Call) => Reply | Promise<Reply>)(call);
  }
  const users = { aspect: "ofUsers" in route ? route.ofUsers : undefined, document: params["docid"] };
  const name = nameOf(params["db"], identity);
  const { database } = await services.access.open(identity, name, route.need as DatabaseNeed, users);
  const visible = guarded(database, identity, path);
  return await (route.handler as (call: DatabaseCall) => Reply | Promise<Reply>)(call.withDatabase(visible));
}

/** CouchDB's: rules that lead to each other in a circle come to an end. */
const rewriteLimit = 100;

/** @throws CouchError bad_request, insecure_rewrite_rule, and as `dispatch` */
export async function dispatchRewritten(call: ReceivedCall, request: RewrittenRequest): Promise<Reply> {
  if (call.rewrites >= rewriteLimit) throw new CouchError("bad_request", "Exceeded rewrite recursion limit");
  const { url } = request;
  checkLength(url, call.services);
  const found = call.findRoutes(url);
  if (!found) throw new CouchError("bad_request", "The path is not valid UTF-8 in percent-encoding.");
  const method = sameWithBody(call.sentMethod, request.method);
  const route = routeFor(found.routes, method);
  refuseMisuse(call, method, route, found.params);
  const query = queryOf(url);
  return await dispatch(
    call.again({ ...request, method, params: found.params, query, rewrites: call.rewrites + 1 }),
    route,
    found.routes.path,
  );
}

/** Whether the answer has a body is for the client's method to say: one that waits for bytes that do not come waits for ever. */
function sameWithBody(sent: string, method: string): string {
  if (sent === "HEAD") return method === "GET" ? "HEAD" : method;
  return method === "HEAD" ? "GET" : method;
}

/**
 * Who writes a design document must not act as those who follow its links. So a request that changes nothing stays one, and only
 * within the database are others rewritten, to what its own administrators may do.
 * @throws CouchError insecure_rewrite_rule
 */
function refuseMisuse(call: ReceivedCall, method: string, route: Route, params: FoundRoutes["params"]): void {
  if (isSafe(method)) return;
  if (params["db"] !== call.params["db"]) {
    throw new CouchError("insecure_rewrite_rule", "Outside of its database a rewrite may only read.");
  }
  if (route.need === "server-admin") {
    throw new CouchError("insecure_rewrite_rule", "What needs a server administrator is not for rewrites to do.");
  }
  if (isSafe(call.sentMethod) && route.need !== "read") {
    throw new CouchError(
      "insecure_rewrite_rule",
      "A request that changes nothing may not be rewritten to one that does.",
    );
  }
}

/** @throws CouchError method_not_allowed */
export function routeFor(routes: PathRoutes, method: string): Route {
  const route = rowOf(routes, method) ?? (method === "HEAD" ? rowOf(routes, "GET") : undefined);
  if (route) return route;
  throw new CouchError("method_not_allowed", `Only ${routes.allow} allowed`, { headers: { Allow: routes.allow } });
}

function rowOf({ methods }: PathRoutes, method: string): Route | undefined {
  return Object.hasOwn(methods, method) ? methods[method] : undefined;
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
