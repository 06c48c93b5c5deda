/** A server in this process, with a data directory of its own: `const world = await startHttpWorld(t)`. */
import { EmbeddedBackend } from "../../server/backend/embedded.js";
import { tellSizes } from "../../server/backend/tell-sizes.js";
import { RuntimeConfig } from "../../server/config/runtime-config.js";
import { type ConfigInput, completeConfig } from "../../server/config.js";
import { Databases, type DatabasesOptions } from "../../server/documents/databases.js";
import { Gateway } from "../../server/gateway/gateway.js";
import type { Template } from "../../server/gateway/provisioning.js";
import { sharingOptions } from "../../server/gateway-settings.js";
import { HttpServer } from "../../server/http/http-server.js";
import { Metrics } from "../../server/http/metrics/metrics.js";
import type { PathRoutes } from "../../server/http/route.js";
import { routeTable } from "../../server/http/route-table.js";
import type { Services } from "../../server/http/services.js";
import { createLogger } from "../../server/logging.js";
import { Indexes } from "../../server/query/indexes/indexes.js";
import { DesignViews } from "../../server/query/views/design-views.js";
import { Replication } from "../../server/replication.js";
import { Sandbox } from "../../server/sandbox/sandbox.js";
import { basic, HttpClient } from "./http-client.js";
import { type Cleanup, nothingToValidate, temporaryDirectory } from "./temp-store.js";

const uuid = "0".repeat(32);
const admin = { name: "admin", password: "a-long-password-for-tests" };

export interface HttpWorldOptions {
  readonly config?: ConfigInput;
  readonly validate?: DatabasesOptions["validate"];
  /** Default: none. */
  readonly templates?: ReadonlyMap<string, Template>;
}

export interface HttpWorld {
  readonly url: string;
  /** `Authorization` of the administrator. */
  readonly adminHeaders: { readonly authorization: string };
  /** Asks as the administrator. */
  readonly client: HttpClient;
  readonly databases: Databases;
  readonly gateway: Gateway;
  readonly sandbox: Sandbox;
  readonly dataDir: string;
  /** Aborting it is how a server begins to stop. */
  readonly stopping: AbortController;
}

/** Closed when the test is over. */
export async function startHttpWorld(
  t: Cleanup,
  routes: readonly PathRoutes[] = routeTable,
  { config: given, validate = nothingToValidate, templates = new Map() }: HttpWorldOptions = {},
): Promise<HttpWorld> {
  const dataDir = temporaryDirectory(t);
  const config = completeConfig({ logLevel: "silent", passwordIterations: 1, ...given, dataDir });
  const runtimeConfig = RuntimeConfig.open(config, { uuid });
  const compression = () => runtimeConfig.current.attachments;
  const databases = await Databases.open({ dataDir, validate, compression });
  const { quotas } = config;
  const sharing = sharingOptions(config.sharing);
  const options = { secret: "a secret for tests only", admin, passwordIterations: 1, sharing, quotas };
  const sandbox = new Sandbox({ workers: 2 });
  const indexes = new Indexes(databases);
  const designViews = new DesignViews({ sandbox });
  const backend = new EmbeddedBackend(databases, { indexes, designViews });
  const gateway = new Gateway({ backend, loadTemplates: async () => templates, options });
  await gateway.start();
  tellSizes(databases, gateway.sharing.quotas);
  const stopping = new AbortController();
  const log = createLogger(config.logLevel);
  const services: Services = {
    get config() {
      return runtimeConfig.current;
    },
    get replicator() {
      return replication.replicator;
    },
    runtimeConfig,
    metrics: new Metrics({
      databases,
      gateway,
      stopping: stopping.signal,
      sandbox: () => sandbox.statistics(),
      indexes: () => indexes.statistics(),
      waitingCompactions: () => 0,
    }),
    log,
    databases,
    gateway,
    sandbox,
    designViews,
    indexes,
    access: gateway.accessTo((name) => databases.open(name)),
    uuid,
    version: "0.0.0",
    stopping: stopping.signal,
  };
  const replication = new Replication({ services, config, log });
  const server = new HttpServer({ services, routes, grace: 0 });
  const url = await server.listen("127.0.0.1", 0);
  await replication.start(url);
  const authorization = basic(admin.name, admin.password);
  const client = new HttpClient(url, authorization);
  t.after(async () => {
    client.close();
    stopping.abort();
    await replication.stop();
    await server.close();
    gateway.close();
    await indexes.close();
    await sandbox.close();
    await databases.close();
  });
  return { url, adminHeaders: { authorization }, client, databases, gateway, sandbox, dataDir, stopping };
}
