import type { AddressInfo } from "node:net";
import type { FastifyInstance } from "fastify";
import { createListener } from "./listener.js";
import type { PathRoutes } from "./route.js";
import type { Services } from "./services.js";

export interface HttpServerOptions {
  readonly services: Services;
  readonly routes: readonly PathRoutes[];
  /** Milliseconds that answers under way may take when the server stops. Default: 10 seconds. */
  readonly grace?: number;
}

/** Milliseconds between two looks for connections that have become idle while the server stops. */
const sweepInterval = 50;

/** The listening socket and its connections. */
export class HttpServer {
  readonly #app: FastifyInstance;
  readonly #grace: number;

  constructor({ services, routes, grace = 10_000 }: HttpServerOptions) {
    this.#app = createListener(services, routes);
    this.#grace = grace;
  }

  /** @returns the URL, without a slash at its end. Rejects with the system's error, e.g. EADDRINUSE. */
  async listen(host: string, port: number): Promise<string> {
    await this.#app.listen({ host, port });
    const { port: chosen } = this.#app.server.address() as AddressInfo;
    return `http://${host.includes(":") ? `[${host}]` : host}:${chosen}`;
  }

  /**
   * Takes no more connections, lets answers under way come to their end, and cuts what has not by the end of the grace.
   * Feeds end by themselves: `Services.stopping` was aborted before.
   */
  async close(): Promise<void> {
    const { server } = this.#app;
    // A connection whose last answer is complete would otherwise stay open for as long as it may be reused.
    const sweep = setInterval(() => server.closeIdleConnections(), sweepInterval);
    const cut = setTimeout(() => server.closeAllConnections(), this.#grace);
    try {
      await this.#app.close();
    } finally {
      clearInterval(sweep);
      clearTimeout(cut);
    }
  }
}
