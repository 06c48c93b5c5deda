/**
 * What is measured, in one place: counts of requests, and where everything else that is shown is asked for.
 */

import type { Databases } from "../../documents/databases.js";
import type { Gateway } from "../../gateway/gateway.js";
import type { IndexStatistics } from "../../query/indexes/indexes.js";
import type { PoolStatistics } from "../../sandbox/sandbox.js";
import { openFeeds } from "../when-stopping.js";
import { Prometheus } from "./prometheus.js";
import { RequestCounts } from "./request-counts.js";

export interface MetricsParts {
  readonly databases: Databases;
  readonly gateway: Gateway;
  readonly stopping: AbortSignal;
  readonly sandbox: () => PoolStatistics;
  readonly indexes: () => IndexStatistics;
  readonly waitingCompactions: () => number;
}

export class Metrics {
  readonly requests = new RequestCounts();
  readonly prometheus: Prometheus;
  readonly #parts: MetricsParts;

  constructor(parts: MetricsParts) {
    this.#parts = parts;
    this.prometheus = new Prometheus(this);
  }

  get databases(): Databases {
    return this.#parts.databases;
  }

  sandbox(): PoolStatistics {
    return this.#parts.sandbox();
  }

  indexes(): IndexStatistics {
    return this.#parts.indexes();
  }

  /** Databases that wait to be compacted. */
  waitingCompactions(): number {
    return this.#parts.waitingCompactions();
  }

  /** Live feeds that clients listen to. */
  openFeeds(): number {
    return openFeeds(this.#parts.stopping);
  }

  /** Passwords that wait to be checked. */
  waitingPasswords(): number {
    return this.#parts.gateway.waitingPasswords;
  }
}
