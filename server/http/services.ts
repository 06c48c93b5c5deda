import type { Logger } from "pino";
import type { RuntimeConfig } from "../config/runtime-config.js";
import type { Config } from "../config.js";
import type { Database } from "../documents/database.js";
import type { Databases } from "../documents/databases.js";
import type { Access } from "../gateway/access.js";
import type { Gateway } from "../gateway/gateway.js";
import type { Indexes } from "../query/indexes/indexes.js";
import type { DesignViews } from "../query/views/design-views.js";
import type { Replicator } from "../replicator/replicator.js";
import type { Sandbox } from "../sandbox/sandbox.js";
import type { Metrics } from "./metrics/metrics.js";

/** What handlers work with; built once by `main.ts`. */
export interface Services {
  /** The one in force: it may be another one at the next request. */
  readonly config: Config;
  readonly runtimeConfig: RuntimeConfig;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly databases: Databases;
  readonly gateway: Gateway;
  readonly sandbox: Sandbox;
  readonly designViews: DesignViews;
  readonly indexes: Indexes;
  readonly replicator: Replicator;
  readonly access: Access<Database>;
  /** Names this server for replicators: 32 hexadecimal digits, kept with the data. */
  readonly uuid: string;
  readonly version: string;
  /** Aborted when the server begins to stop: feeds end. */
  readonly stopping: AbortSignal;
}
