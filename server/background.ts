/** Work of the server's own beside requests: what must be done at its start, and what must be done now and then. */
import type { Backend } from "./backend/backend.js";
import type { Gateway } from "./gateway/gateway.js";
import { expiredSessions } from "./jobs/expired-sessions.js";
import type { Job } from "./jobs/job.js";
import { provisioningReconciler } from "./jobs/provisioning-reconciler.js";
import type { Logger } from "./logging.js";

export interface BackgroundParts {
  readonly backend: Backend;
  readonly gateway: Gateway;
  readonly log: Logger;
}

/** Expired sessions are refused anyway; this bounds the room they take. */
const expiryInterval = 60 * 60 * 1000;

export class Background {
  readonly #jobs: readonly Job[];
  readonly #log: Logger;
  readonly #expiry: Job;
  #timer: NodeJS.Timeout | undefined;

  constructor({ backend, gateway, log }: BackgroundParts) {
    this.#log = log;
    const onError = (err: unknown): void => log.error({ err }, "a background job met a failure");
    const reconciler = provisioningReconciler({ backend, provisioning: gateway.provisioning, onError });
    this.#expiry = expiredSessions({ backend, now: Date.now, onError });
    this.#jobs = [reconciler, this.#expiry];
  }

  start(): void {
    for (const job of this.#jobs) this.#run(job);
    this.#timer = setInterval(() => this.#run(this.#expiry), expiryInterval);
    this.#timer.unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#jobs.map((job) => job.stop()));
  }

  #run(job: Job): void {
    job.run().catch((err: unknown) => this.#log.error({ err, job: job.id }, "a background job failed"));
  }
}
