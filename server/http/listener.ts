/** The listener: Fastify finds the path, `pipeline.ts` does the rest. */
import { METHODS } from "node:http";
import fastify, { type FastifyInstance, type HTTPMethods } from "fastify";
import { CouchError } from "../../protocol/errors.js";
import { errorReply } from "./error-reply.js";
import { createPathRouter, pathRules, plusIsSpace } from "./path-router.js";
import { answer } from "./pipeline.js";
import { refuseMalformed, watchAnswers } from "./refuse-malformed.js";
import type { PathRoutes } from "./route.js";
import { send } from "./send.js";
import type { Services } from "./services.js";

/** How long a client may take to send its headers: slow ones hold sockets and nothing else. */
const headersTimeout = 60_000;
const keepAliveTimeout = 75_000;

export function createListener(services: Services, table: readonly PathRoutes[]): FastifyInstance {
  const { maxUriLength } = services.config.limits;
  // In CouchDB a plus sign in a path is a space, unless it is told otherwise.
  const readPath = (url: string): string => (services.config.decodePlusToSpace ? plusIsSpace(url) : url);
  const findRoutes = createPathRouter(table, maxUriLength, readPath);
  const app = fastify({
    logger: false,
    exposeHeadRoutes: false,
    // Bodies and feeds may take as long as they move; what is bounded is the head of a request.
    requestTimeout: 0,
    keepAliveTimeout,
    forceCloseConnections: "idle",
    routerOptions: { ...pathRules, maxParamLength: maxUriLength },
    clientErrorHandler: refuseMalformed,
    rewriteUrl: ({ url = "/" }) => readPath(url),
    frameworkErrors: (error, request, reply) => {
      const failure = new CouchError("bad_request", "The path is not valid UTF-8 in percent-encoding.", {
        cause: error,
      });
      reply.hijack();
      void send(request.raw, reply.raw, errorReply(failure, services.log), {}, services.log);
    },
  });
  app.server.headersTimeout = headersTimeout;
  watchAnswers(app.server);
  const methods = METHODS.filter((method) => method !== "CONNECT");
  for (const method of methods)
    if (!app.supportedMethods.includes(method)) app.addHttpMethod(method, { hasBody: true });
  for (const routes of table) {
    app.route({
      method: methods as HTTPMethods[],
      url: routes.path,
      // In the first hook and not in the handler: Fastify would look at the body in between, which is the route's to do.
      onRequest: (request, reply) => {
        reply.hijack();
        // By itself, so that a feed that waits does not keep what Fastify made for its request.
        const response = reply.raw;
        const params = request.params as Record<string, string>;
        answer(services, { request: request.raw, response, routes, params, findRoutes }).catch((err: unknown) => {
          // Nothing sensible can be sent any more; the client sees its connection end.
          services.log.error({ err }, "an answer could not be sent");
          response.destroy();
        });
      },
      handler: () => {
        throw new Error("unreachable: every request is answered in onRequest");
      },
    });
  }
  return app;
}
