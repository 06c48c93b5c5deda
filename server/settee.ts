import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { EmbeddedBackend } from "./backend/embedded.js";
import { tellSizes } from "./backend/tell-sizes.js";
import { Background } from "./background.js";
import { keptUuid, openDataDirectory } from "./config/data-directory.js";
import { RuntimeConfig } from "./config/runtime-config.js";
import type { Config } from "./config.js";
import { Databases } from "./documents/databases.js";
import type { AdminCredentials } from "./gateway/admins.js";
import { Gateway } from "./gateway/gateway.js";
import { TemplateFolder } from "./gateway/rollouts/template-folder.js";
import { gatewayOptions } from "./gateway-settings.js";
import { HttpServer } from "./http/http-server.js";
import { Metrics } from "./http/metrics/metrics.js";
import { routeTable } from "./http/route-table.js";
import type { Services } from "./http/services.js";
import { createLogger, type Logger } from "./logging.js";
import { peopleOptions } from "./people-options.js";
import { Indexes } from "./query/indexes/indexes.js";
import { DesignViews } from "./query/views/design-views.js";
import { Replication } from "./replication.js";
import { Sandbox, type TimeLimits } from "./sandbox/sandbox.js";

export interface SetteeOptions {
  /** The data directory was restored from a backup: clients that saw more are sent back to what it holds. */
  readonly newEpoch?: boolean;
}

/** The package's root: two folders above the compiled file. */
const root = new URL("../../", import.meta.url);
const shippedTemplates = fileURLToPath(new URL("design-docs/", root));
const { version } = JSON.parse(readFileSync(new URL("package.json", root), "utf8")) as { version: string };

interface Parts {
  readonly config: Config;
  readonly log: Logger;
  readonly databases: Databases;
  readonly gateway: Gateway;
  readonly sandbox: Sandbox;
  readonly indexes: Indexes;
  readonly http: HttpServer;
  readonly background: Background;
  readonly replication: Replication;
  readonly stopping: AbortController;
  readonly madeAdmin: AdminCredentials | undefined;
  readonly listensOn: (url: string) => void;
}

/** A whole server over one data directory: builds the parts, hands each what it needs, and ends them in order. */
export class Settee {
  readonly #parts: Parts;

  private constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Opens the data directory; nothing listens yet. @throws StoreUnavailable, TemplateError, ConfigError */
  static async create(given: Config, { newEpoch = false }: SetteeOptions = {}): Promise<Settee> {
    const { dataDir } = given;
    openDataDirectory(dataDir);
    const uuid = keptUuid(dataDir);
    const runtimeConfig = RuntimeConfig.open(given, { uuid });
    const config = runtimeConfig.current;
    const log = createLogger(config.logLevel);
    // Before the store is opened: what is wrong with a template should be the first thing that its author sees.
    const folder = await TemplateFolder.open(config.designDocs ?? shippedTemplates);
    const sandbox = new Sandbox({
      timeLimits: timeLimitsOf(config),
      memoryLimitBytes: config.sandbox.memoryLimit,
      log: (entry) => log.info(entry, "log() of a design document"),
      threadDied: (err) => log.error({ err }, "a thread of the sandbox died and was replaced"),
    });
    const validate = (batch: Parameters<Sandbox["validate"]>[0]) => sandbox.validate(batch);
    const shareKeyOf = (source: string) => folder.shareKeyOf(source);
    const compression = () => runtimeConfig.current.attachments;
    const databases = await Databases.open({ dataDir, validate, shareKeyOf, compression, newEpoch });
    try {
      const indexes = new Indexes(databases);
      const designViews = new DesignViews({ sandbox, shareKeyOf });
      const backend = new EmbeddedBackend(databases, { indexes, designViews });
      const loadTemplates = () => folder.load();
      // Known when it listens, where no other name for it was set.
      let url = `http://${config.host}:${config.port}`;
      const publicUrl = (): string => (config.publicUrl ?? url).replace(/\/+$/, "");
      const options = { ...gatewayOptions(config, log), ...(await peopleOptions(config, log, publicUrl)) };
      const gateway = new Gateway({ backend, loadTemplates, options });
      const madeAdmin = await gateway.start();
      tellSizes(databases, gateway.sharing.quotas);
      const stopping = new AbortController();
      runtimeConfig.subscribe((changed) => {
        const { logLevel, sessionTimeout, passwordIterations, lockOut } = changed;
        log.level = logLevel;
        gateway.configure({ sessionSeconds: sessionTimeout, passwordIterations, lockOut });
        sandbox.configure({ timeLimits: timeLimitsOf(changed) });
      });
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
          waitingCompactions: () => background.waitingCompactions,
        }),
        log,
        databases,
        gateway,
        sandbox,
        designViews,
        indexes,
        access: gateway.accessTo((name) => databases.open(name)),
        uuid,
        version,
        stopping: stopping.signal,
      };
      const replication = new Replication({ services, config, log });
      const http = new HttpServer({ services, routes: routeTable });
      const background = new Background({ config, databases, backend, gateway, indexes, designViews, log });
      const listensOn = (address: string): void => {
        url = address;
      };
      return new Settee({
        config,
        log,
        databases,
        gateway,
        sandbox,
        indexes,
        http,
        background,
        replication,
        stopping,
        madeAdmin,
        listensOn,
      });
    } catch (error) {
      await databases.close();
      throw error;
    }
  }

  /** The administrator that the very first start made; its password can be read here and nowhere else. */
  get madeAdmin(): AdminCredentials | undefined {
    return this.#parts.madeAdmin;
  }

  get databases(): Databases {
    return this.#parts.databases;
  }

  get replication(): Replication {
    return this.#parts.replication;
  }

  get log(): Logger {
    return this.#parts.log;
  }

  /** A new key signs access tokens from now on. @returns its name */
  rotateKeys(): Promise<string> {
    return this.#parts.gateway.keys.rotate();
  }

  /** Serves, and resolves to the address, e.g. `http://127.0.0.1:5984`. */
  async listen(): Promise<string> {
    const { http, background, replication, log, config, listensOn } = this.#parts;
    const url = await http.listen(config.host, config.port);
    listensOn(url);
    background.start();
    replication.start(url).catch((err: unknown) => log.error({ err }, "the replicator could not start"));
    return url;
  }

  /** Takes no new work, ends feeds with their last sequence, finishes writes under way, closes the store. */
  async close(): Promise<void> {
    const { stopping, background, replication, http, gateway, sandbox, indexes, databases } = this.#parts;
    stopping.abort();
    // Beside each other: a job that waits for an index comes to its end when the indexes do.
    await Promise.all([background.stop(), replication.stop(), http.close().then(() => indexes.close())]);
    gateway.close();
    await sandbox.close();
    await databases.close();
  }
}

function timeLimitsOf({ sandbox: { timeout, validationTimeout } }: Config): TimeLimits {
  return { validation: validationTimeout, others: timeout };
}
