/**
 * What every request passes, in order, and where it may leave:
 *
 *   request id ─ preflight ─ method ─ identify ─ access ─ handler ─ reply
 *                   │          │         │          │        │
 *                  204        405     400 401    401 403   any of the
 *                                       403        404     catalogue
 *
 * Every exit but the preflight goes through `errorReply`, and every answer through `send`. A rewrite of a design document goes
 * through method, access and handler once more (`dispatch.ts`).
 */
import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Identified } from "../gateway/identify.js";
import type { Reply } from "./call.js";
import { clientOf } from "./client-address.js";
import { corsHeaders, preflight } from "./cors.js";
import { checkLength, dispatch, queryOf, routeFor } from "./dispatch.js";
import { errorReply } from "./error-reply.js";
import { originOf } from "./origin.js";
import type { FindRoutes } from "./path-router.js";
import { ReceivedCall } from "./received-call.js";
import type { PathRoutes } from "./route.js";
import { send } from "./send.js";
import type { Services } from "./services.js";

export interface Incoming {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly routes: PathRoutes;
  readonly params: Readonly<Record<string, string>>;
  readonly findRoutes: FindRoutes;
}

export async function answer(services: Services, incoming: Incoming): Promise<void> {
  const began = performance.now();
  const { request, routes } = incoming;
  const id = requestId(request);
  const { requests } = services.metrics;
  requests.open++;
  let status = 0;
  try {
    status = await answerAs(id, services, incoming);
  } finally {
    requests.open--;
    const milliseconds = performance.now() - began;
    requests.answered(routes, request.method as string, status, milliseconds);
    if (services.log.isLevelEnabled("debug")) {
      const path = request.url?.split("?", 1)[0];
      const rounded = Math.round(milliseconds * 100) / 100;
      services.log.debug(
        { request: id, method: request.method, path, route: routes.path, status, milliseconds: rounded },
        "answered",
      );
    }
  }
}

/** @returns the status that was sent */
async function answerAs(id: string, services: Services, incoming: Incoming): Promise<number> {
  const { request, response } = incoming;
  const headers: Record<string, string | readonly string[]> = {
    "X-Couch-Request-ID": id,
    ...corsHeaders(request.headers, services.config.cors),
  };
  const asked = preflight(request.method ?? "GET", request.headers, services.config.cors);
  let reply: Reply;
  try {
    reply = asked ?? (await handle(services, incoming, headers));
  } catch (error) {
    reply = errorReply(error, services.log.child({ request: id }));
  }
  await send(request, response, reply, headers, services.log);
  return reply.status;
}

async function handle(
  services: Services,
  { request, response, routes, params, findRoutes }: Incoming,
  headers: Record<string, string | readonly string[]>,
): Promise<Reply> {
  const method = methodOf(request);
  const route = routeFor(routes, method);
  const url = request.url as string;
  checkLength(url, services);
  const { address, overTls, host } = clientOf(request, services.config.proxies);
  const identified = services.gateway.identify({
    authorization: request.headers.authorization,
    cookie: request.headers.cookie,
    proxy: proxyHeaders(request),
    address,
    overTls,
  });
  const { identity, setCookie, standing }: Identified = identified instanceof Promise ? await identified : identified;
  if (setCookie !== undefined) headers["Set-Cookie"] = setCookie;
  const call = new ReceivedCall(response, {
    services,
    findRoutes,
    identity,
    standing,
    method,
    url,
    params,
    query: queryOf(url),
    headers: request.headers,
    rawHeaders: request.rawHeaders,
    request,
    origin: originOf(request.headers, { host, overTls }, services.config),
    address,
    overTls,
    sentMethod: method,
    rewrites: 0,
  });
  return await dispatch(call, route, routes.path);
}

const overridable = new Set(["GET", "HEAD", "PUT", "DELETE", "COPY"]);

/** For clients that can only GET and POST. Never on a GET: links must not delete. */
function methodOf(request: IncomingMessage): string {
  const override = request.method === "POST" ? request.headers["x-http-method-override"] : undefined;
  if (typeof override === "string" && overridable.has(override)) request.method = override;
  return request.method as string;
}

const clientId = /^[0-9a-zA-Z_-]{1,36}$/;

function requestId(request: IncomingMessage): string {
  const given = request.headers["x-couch-request-id"];
  return typeof given === "string" && clientId.test(given) ? given : randomId();
}

/** Ids are drawn from a pool: one call for the system's randomness for hundreds of requests. */
let pool = Buffer.alloc(0);
let used = 0;
function randomId(): string {
  if (used + 5 > pool.length) {
    pool = randomBytes(5 * 512);
    used = 0;
  }
  used += 5;
  return pool.toString("hex", used - 5, used);
}

function proxyHeaders(request: IncomingMessage) {
  const name = request.headers["x-auth-couchdb-username"];
  if (typeof name !== "string") return undefined;
  const roles = request.headers["x-auth-couchdb-roles"];
  const token = request.headers["x-auth-couchdb-token"];
  return {
    userName: name,
    ...(typeof roles === "string" ? { roles } : {}),
    ...(typeof token === "string" ? { token } : {}),
  };
}
