/** The HTTP frame by itself: routes of the test's own behind the real listener and pipeline, without a store. */
import { Writable } from "node:stream";
import type { TestContext } from "node:test";
import { CouchError } from "../../protocol/errors.js";
import { parseUserName } from "../../protocol/ids.js";
import { anonymous, type Identity, type SecurityObject } from "../../protocol/security.js";
import { type ConfigInput, completeConfig } from "../../server/config.js";
import type { Database } from "../../server/documents/database.js";
import { Access, type AccessParts } from "../../server/gateway/access.js";
import type { Credentials, Identified } from "../../server/gateway/identify.js";
import { HttpServer } from "../../server/http/http-server.js";
import { RequestCounts } from "../../server/http/metrics/request-counts.js";
import type { PathRoutes } from "../../server/http/route.js";
import type { Services } from "../../server/http/services.js";
import { createLogger } from "../../server/logging.js";
import { HttpClient } from "./http-client.js";

export interface FrameOptions {
  readonly routes: readonly PathRoutes[];
  readonly settings?: ConfigInput;
  /** Databases that exist, with who may use them. */
  readonly databases?: Readonly<Record<string, SecurityObject>>;
  readonly logLevel?: string;
  /** Milliseconds that answers under way may take when the server stops. */
  readonly grace?: number;
}

export interface Frame {
  readonly url: string;
  readonly port: number;
  readonly client: HttpClient;
  readonly server: HttpServer;
  readonly stopping: AbortController;
  /** Lines of the log so far, parsed. */
  readonly log: readonly Readonly<Record<string, unknown>>[];
}

/** Listens on a free port until the test is over. `Authorization: ada` is a user of that name, `admin` an administrator. */
export async function startFrame(t: TestContext, options: FrameOptions): Promise<Frame> {
  const config = completeConfig({ port: 0, ...options.settings });
  const log: Record<string, unknown>[] = [];
  const destination = new Writable({
    write(line, _encoding, done) {
      log.push(JSON.parse(String(line)) as Record<string, unknown>);
      done();
    },
  });
  const databases = options.databases ?? {};
  const openDatabase: AccessParts<Database>["openDatabase"] = async (name) => {
    if (!Object.hasOwn(databases, name)) throw new CouchError("not_found", "Database does not exist.");
    return { name, security: () => databases[name] } as unknown as Database;
  };
  const stopping = new AbortController();
  const services = {
    config,
    metrics: { requests: new RequestCounts() },
    log: createLogger(options.logLevel ?? "info", destination),
    gateway: { identify: (credentials: Credentials): Identified => ({ identity: identityOf(credentials) }) },
    access: new Access<Database>({ openDatabase, ownDatabase: () => Promise.reject(new CouchError("unauthorized")) }),
    uuid: "0".repeat(32),
    version: "0.0.0",
    stopping: stopping.signal,
  } as unknown as Services;
  const server = new HttpServer({
    services,
    routes: options.routes,
    ...(options.grace === undefined ? {} : { grace: options.grace }),
  });
  const url = await server.listen(config.host, config.port);
  const client = new HttpClient(url);
  t.after(async () => {
    client.close();
    stopping.abort();
    await server.close();
  });
  return { url, port: Number(new URL(url).port), client, server, stopping, log };
}

function identityOf({ authorization }: Credentials): Identity {
  if (authorization === undefined) return anonymous;
  if (authorization === "wrong") throw new CouchError("unauthorized", "Name or password is incorrect.");
  const roles = authorization === "admin" ? ["_admin"] : [];
  return { name: parseUserName(authorization), roles, method: "default" };
}
