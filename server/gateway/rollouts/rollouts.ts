import { LRUCache } from "lru-cache";
import { CouchError } from "../../../protocol/errors.js";
import type { DatabaseName } from "../../../protocol/ids.js";
import type { Rollout, RolloutList } from "../../../protocol/rollout.js";
import type { Backend } from "../../backend/backend.js";
import type { DatabaseRegistry } from "../databases/registry.js";
import type { Template } from "../provisioning.js";
import { bringToVersion } from "./bring-to-version.js";
import { RolloutStore, type StoredRollout } from "./rollout-store.js";
import { TemplateVersions } from "./template-versions.js";

export interface RolloutsParts {
  readonly backend: Backend;
  readonly registry: DatabaseRegistry;
  /** Reads the folder of templates. @throws TemplateError */
  readonly loadTemplates: () => Promise<ReadonlyMap<string, Template>>;
  readonly now: () => number;
  readonly onError: (error: unknown) => void;
}

/** Databases that count as in use: those that were asked for last. */
const mostInUse = 10_000;
/** Failures that are told by name. */
const mostTold = 100;

/**
 * Versions of templates and their way to the databases. `take` begins a rollout for every template whose files have changed;
 * the job that walks over the databases is in `jobs/rollout-walker.ts`.
 */
export class Rollouts {
  readonly versions: TemplateVersions;
  readonly store: RolloutStore;
  readonly #parts: RolloutsParts;
  readonly #inUse = new LRUCache<DatabaseName, true>({ max: mostInUse });
  readonly #urgent = new Set<DatabaseName>();
  /** A rollout is under way here. */
  isWalking = false;

  constructor(parts: RolloutsParts) {
    this.#parts = parts;
    this.versions = new TemplateVersions(parts.backend, parts.onError);
    this.store = new RolloutStore(parts.backend, parts.now);
  }

  async start(): Promise<void> {
    await this.versions.start();
    await this.take();
  }

  close(): void {
    this.versions.close();
  }

  /** Reads the folder again. @returns the rollouts that begin by that. @throws TemplateError; then nothing is changed */
  async take(): Promise<readonly Rollout[]> {
    await this.versions.take(await this.#parts.loadTemplates());
    return await this.#beginMissing();
  }

  /** Somebody works with the database: a rollout comes to it before others. */
  used(name: DatabaseName): void {
    this.#inUse.set(name, true);
    if (this.isWalking) this.#urgent.add(name);
  }

  /** Those that were used since they were asked for last, during a rollout. */
  takeUrgent(): readonly DatabaseName[] {
    const names = [...this.#urgent];
    this.#urgent.clear();
    return names;
  }

  /** Those that were used last first. */
  get inUse(): readonly DatabaseName[] {
    return [...this.#inUse.keys()];
  }

  async list(): Promise<RolloutList> {
    const templates = this.versions.names.map((name) => {
      const { version, designDocuments } = this.versions.get(name) as Template;
      return { template: name, version, design_documents: designDocuments.map(({ _id }) => _id) };
    });
    return { templates, rollouts: (await this.store.list()).map(shown).reverse() };
  }

  /** @throws CouchError not_found */
  async find(id: string): Promise<Rollout> {
    return shown(await this.store.find(id));
  }

  /** @throws CouchError not_found */
  async pause(id: string): Promise<Rollout> {
    return shown(await this.store.pause(id));
  }

  /** @throws CouchError not_found, conflict */
  async resume(id: string): Promise<Rollout> {
    const { template, version } = await this.store.find(id);
    this.#mustBeInForce(template, version);
    return shown(await this.store.resume(id));
  }

  /** Puts the version before in force again, and rolls that out. @throws CouchError not_found, conflict */
  async rollBack(id: string): Promise<Rollout> {
    const { template, version, previous } = await this.store.find(id);
    this.#mustBeInForce(template, version);
    if (!(await this.versions.putInForce(template, previous))) {
      throw new CouchError("not_found", "The version before is not known any more.");
    }
    await this.#beginMissing();
    const [newest] = (await this.list()).rollouts.filter((each) => each.template === template);
    return newest as Rollout;
  }

  /** One database, for one rollout; what comes of it goes into `progress`. */
  async deploy(name: DatabaseName, { template: wanted, version }: StoredRollout): Promise<Deployed> {
    const { backend, registry } = this.#parts;
    const entry = await registry.find(name);
    const template = this.versions.get(wanted);
    if (entry?.template !== wanted || template?.version !== version) return { outcome: "not its own" };
    const versionOf = (of: string, old: string) => this.versions.versionOf(of, old);
    try {
      return { outcome: await bringToVersion({ backend, registry, versionOf }, entry, template) };
    } catch (error) {
      if (!(error instanceof CouchError)) throw error;
      return { outcome: "failed", reason: error.reason };
    }
  }

  /** The newest rollout of a template is of the version in force. A crash right after that came into force leaves none. */
  async #beginMissing(): Promise<readonly Rollout[]> {
    const newest = new Map((await this.store.list()).map(({ template, version }) => [template, version]));
    const begun: Rollout[] = [];
    for (const change of await this.versions.changes()) {
      if (newest.get(change.template) !== change.version) begun.push(shown(await this.store.begin(change)));
    }
    return begun;
  }

  #mustBeInForce(template: string, version: string): void {
    if (this.versions.get(template)?.version === version) return;
    throw new CouchError("conflict", "Another version of the template is in force by now.");
  }
}

export type Deployed =
  | { readonly outcome: "changed" | "already there" | "gone" | "not its own" }
  | { readonly outcome: "failed"; readonly reason: string };

/** The rollout with a database that came before its turn: it will be seen when its turn comes. */
export function withUrgent(rollout: StoredRollout, { outcome }: Deployed): StoredRollout {
  return outcome === "changed" ? { ...rollout, changed: rollout.changed + 1 } : rollout;
}

/** The rollout with one more database. */
export function withDeployed(rollout: StoredRollout, database: DatabaseName, deployed: Deployed): StoredRollout {
  if (deployed.outcome === "not its own" || deployed.outcome === "gone") return rollout;
  const { seen, changed, failed, failures } = rollout;
  if (deployed.outcome !== "failed") {
    return { ...rollout, seen: seen + 1, changed: changed + (deployed.outcome === "changed" ? 1 : 0) };
  }
  const told = failures.length < mostTold ? [...failures, { database, reason: deployed.reason }] : failures;
  return { ...rollout, seen: seen + 1, failed: failed + 1, failures: told };
}

function shown({ after: _, ...rollout }: StoredRollout): Rollout {
  return rollout;
}
