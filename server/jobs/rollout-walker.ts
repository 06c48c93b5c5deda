/**
 * Brings databases to the version of their template that is in force: first those in use, then all others in the order of their
 * names, a few at a time. How far it came is kept, so that the next start goes on there.
 */
import type { DatabaseName } from "../../protocol/ids.js";
import type { DatabaseRegistry } from "../gateway/databases/registry.js";
import type { StoredRollout } from "../gateway/rollouts/rollout-store.js";
import { type Deployed, type Rollouts, withDeployed, withUrgent } from "../gateway/rollouts/rollouts.js";
import type { Job } from "./job.js";

export interface RolloutWalkerParts {
  readonly rollouts: Rollouts;
  readonly registry: DatabaseRegistry;
  /** Told of what fails beside databases, e.g. a store that cannot be reached; the next run goes on. */
  readonly onError: (error: unknown) => void;
}

/** Databases at once: each waits for the disk several times, and requests share one batch with them. */
const atOnce = 8;
/** Databases between two notes of how far it came. */
const stepSize = 200;

export class RolloutWalker implements Job {
  readonly id = "rollout-walker";
  readonly #parts: RolloutWalkerParts;
  #running: Promise<void> | undefined;
  #isStopping = false;

  constructor(parts: RolloutWalkerParts) {
    this.#parts = parts;
  }

  /** A run that is asked for during another is the same run. */
  run(): Promise<void> {
    this.#running ??= this.#walkAll().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#running;
    this.#isStopping = false;
  }

  async #walkAll(): Promise<void> {
    const { rollouts, onError } = this.#parts;
    for (const rollout of await rollouts.store.list()) {
      if (rollout.state !== "running") continue;
      rollouts.isWalking = true;
      try {
        await this.#walk(rollout);
      } catch (error) {
        onError(error);
      } finally {
        rollouts.isWalking = false;
      }
      if (this.#isStopping) return;
    }
  }

  async #walk(begun: StoredRollout): Promise<void> {
    const { rollouts, registry } = this.#parts;
    await this.#deployUrgent(rollouts.inUse, begun);
    for await (const entries of registry.entries(begun.after, stepSize)) {
      await this.#deployUrgent(rollouts.takeUrgent(), begun);
      const names = entries.filter(({ template }) => template === begun.template).map(({ name }) => name);
      const deployed = await this.#deployAll(names, begun);
      if (this.#isStopping) return;
      const after = entries.at(-1)?.name as string;
      const { state } = await rollouts.store.change(begun.id, (before) => {
        const now = [...deployed].reduce((sum, [name, outcome]) => withDeployed(sum, name, outcome), before);
        return { ...now, after };
      });
      if (state !== "running") return;
    }
    await rollouts.store.finish(begun.id);
  }

  async #deployUrgent(names: readonly DatabaseName[], rollout: StoredRollout): Promise<void> {
    const deployed = await this.#deployAll(names, rollout);
    if (![...deployed.values()].some(({ outcome }) => outcome === "changed")) return;
    await this.#parts.rollouts.store.change(rollout.id, (before) => [...deployed.values()].reduce(withUrgent, before));
  }

  /** When the server stops some are left out: what was done is found to be so the next time. */
  async #deployAll(
    names: readonly DatabaseName[],
    rollout: StoredRollout,
  ): Promise<ReadonlyMap<DatabaseName, Deployed>> {
    const { rollouts } = this.#parts;
    const deployed = new Map<DatabaseName, Deployed>();
    const waiting = names.values();
    const work = async (): Promise<void> => {
      for (const name of waiting) {
        if (this.#isStopping) return;
        deployed.set(name, await rollouts.deploy(name, rollout));
      }
    };
    await Promise.all(Array.from({ length: atOnce }, work));
    return deployed;
  }
}
