/** Work of the server's own beside requests: what must be done at its start, and what must be done now and then. */
import type { Backend } from "./backend/backend.js";
import type { Config } from "./config.js";
import type { Databases } from "./documents/databases.js";
import type { Gateway } from "./gateway/gateway.js";
import { accountSweeper } from "./jobs/account-sweeper.js";
import { AutoCompaction } from "./jobs/auto-compaction.js";
import { expiredInvitations } from "./jobs/expired-invitations.js";
import { expiredSessions } from "./jobs/expired-sessions.js";
import { IndexKeeper } from "./jobs/index-keeper.js";
import type { Job } from "./jobs/job.js";
import { MailSender } from "./jobs/mail-sender.js";
import { provisioningReconciler } from "./jobs/provisioning-reconciler.js";
import { RolloutWalker } from "./jobs/rollout-walker.js";
import { sharingReconciler } from "./jobs/sharing-reconciler.js";
import { trashCollector } from "./jobs/trash-collector.js";
import type { Logger } from "./logging.js";
import type { Indexes } from "./query/indexes/indexes.js";
import type { DesignViews } from "./query/views/design-views.js";

export interface BackgroundParts {
  readonly config: Pick<Config, "compaction">;
  readonly databases: Databases;
  readonly backend: Backend;
  readonly gateway: Gateway;
  readonly indexes: Indexes;
  readonly designViews: DesignViews;
  readonly log: Logger;
}

/** What has expired is refused anyway; this bounds the room it takes. */
const expiryInterval = 60 * 60 * 1000;
/** How long a mail that is due waits at most: new ones are sent at once, this is for those that could not be. */
const mailInterval = 10 * 1000;
/** How long garbage lies at least, and how often a database that is written all the time is compacted at most. */
const compactionInterval = 10 * 1000;
/** How long a new design document waits for its indexes at most, when nobody asks. */
const indexInterval = 2 * 1000;
/** How soon a rollout begins that this or another gateway was told of. */
const rolloutInterval = 2 * 1000;

export class Background {
  readonly #jobs: readonly Job[];
  readonly #log: Logger;
  readonly #hourly: readonly Job[];
  readonly #mail: MailSender;
  readonly #compaction: AutoCompaction;
  readonly #indexKeeper: IndexKeeper;
  readonly #rolloutWalker: RolloutWalker;
  #timers: readonly NodeJS.Timeout[] = [];

  constructor({ config, databases, backend, gateway, indexes, designViews, log }: BackgroundParts) {
    this.#log = log;
    const onError = (err: unknown): void => log.error({ err }, "a background job met a failure");
    const { provisioning, people, sharing } = gateway;
    const { removal } = people;
    const reconciler = provisioningReconciler({ backend, provisioning, removal, onError });
    const reconcilers = [reconciler, sharingReconciler({ backend, sharing, onError })];
    this.#mail = new MailSender({ backend, delivery: people.mailDelivery, onError });
    this.#hourly = [
      expiredSessions({ backend, now: Date.now, onError }),
      expiredInvitations({ backend, now: Date.now, onError }),
      trashCollector({ backend, trash: sharing.trash, onError }),
      accountSweeper({ backend, removal, now: Date.now, onError }),
    ];
    this.#compaction = new AutoCompaction({
      databases,
      settings: config.compaction,
      onError: (err, database) => log.error({ err, database }, "a database could not be compacted"),
    });
    this.#indexKeeper = new IndexKeeper({
      databases,
      indexes,
      designViews,
      onError: (err, database) => log.warn({ err, database }, "indexes of a database were not kept up to date"),
    });
    this.#rolloutWalker = new RolloutWalker({ rollouts: gateway.rollouts, registry: gateway.registry, onError });
    const walkers = [this.#compaction, this.#indexKeeper, this.#rolloutWalker];
    this.#jobs = [...reconcilers, ...this.#hourly, this.#mail, ...walkers];
  }

  start(): void {
    this.#mail.start();
    for (const job of this.#jobs) this.#run(job);
    this.#timers = [
      ...this.#hourly.map((job) => setInterval(() => this.#run(job), expiryInterval)),
      setInterval(() => this.#run(this.#mail), mailInterval),
      setInterval(() => this.#run(this.#compaction), compactionInterval),
      setInterval(() => this.#run(this.#indexKeeper), indexInterval),
      setInterval(() => this.#run(this.#rolloutWalker), rolloutInterval),
    ];
    for (const timer of this.#timers) timer.unref();
  }

  /** Databases that wait to be compacted. */
  get waitingCompactions(): number {
    return this.#compaction.waiting;
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    await Promise.all(this.#jobs.map((job) => job.stop()));
  }

  #run(job: Job): void {
    job.run().catch((err: unknown) => this.#log.error({ err, job: job.id }, "a background job failed"));
  }
}
