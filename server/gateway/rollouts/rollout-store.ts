/** The rollouts that are and were, a document each in `settee_rollouts`. */
import { CouchError } from "../../../protocol/errors.js";
import { type DocId, parseDocId } from "../../../protocol/ids.js";
import type { Rollout } from "../../../protocol/rollout.js";
import type { Backend, JsonDocument } from "../../backend/backend.js";
import { retryConflicts } from "../retry-conflicts.js";
import { rolloutsDatabase } from "../system-databases.js";
import type { VersionChange } from "./template-versions.js";

/** With the name of the database that was looked at last: whoever goes on begins behind it. */
export interface StoredRollout extends Rollout {
  readonly after: string;
}

interface RolloutDocument extends JsonDocument, Omit<StoredRollout, "id"> {}

const prefix = "rollout-";
const afterPrefix = "rollout.";

export class RolloutStore {
  readonly #backend: Backend;
  readonly #now: () => number;

  constructor(backend: Backend, now: () => number) {
    this.#backend = backend;
    this.#now = now;
  }

  /** A template has one rollout under way: an earlier one that was not done ends, since the new one does all of its work. */
  async begin({ template, version, previous }: VersionChange): Promise<StoredRollout> {
    for (const earlier of await this.list()) {
      if (earlier.template === template && earlier.state !== "done") await this.#end(earlier.id);
    }
    const started_at = this.#time();
    // Times make ids that are listed in their order.
    const id = `${started_at.replace(/\D/g, "")}-${version.slice(0, 8)}`;
    const begun = { template, version, previous, state: "running", ...nothingDone, started_at } as const;
    await this.#backend.putDocument(rolloutsDatabase, { _id: idOf(id), ...begun });
    return { id, ...begun };
  }

  /** Oldest first. */
  async list(): Promise<readonly StoredRollout[]> {
    const range = { from: prefix, to: afterPrefix };
    return (await this.#backend.listDocuments<RolloutDocument>(rolloutsDatabase, range)).map(rolloutOf);
  }

  /** @throws CouchError not_found */
  async find(id: string): Promise<StoredRollout> {
    return rolloutOf(await this.#read(id));
  }

  /** @throws CouchError not_found */
  async change(id: string, change: (before: StoredRollout) => StoredRollout): Promise<StoredRollout> {
    return await retryConflicts(async () => {
      const document = await this.#read(id);
      const before = rolloutOf(document);
      const after = change(before);
      if (after === before) return before;
      const { id: _, ...members } = after;
      const { _rev } = document;
      await this.#backend.putDocument(rolloutsDatabase, { _id: idOf(id), ...(_rev && { _rev }), ...members });
      return after;
    });
  }

  async pause(id: string): Promise<StoredRollout> {
    return await this.change(id, (before) => (before.state === "running" ? { ...before, state: "paused" } : before));
  }

  /** A rollout that is done with failures begins again: what was brought to the version stays so. */
  async resume(id: string): Promise<StoredRollout> {
    return await this.change(id, (before) => {
      if (before.state === "running" || (before.state === "done" && before.failed === 0)) return before;
      const { ended_at: _, ...rest } = before;
      return before.state === "paused" ? { ...rest, state: "running" } : { ...rest, ...nothingDone, state: "running" };
    });
  }

  async finish(id: string): Promise<void> {
    await this.change(id, (before) =>
      before.state === "running" ? { ...before, state: "done", ended_at: this.#time() } : before,
    );
  }

  async #end(id: string): Promise<void> {
    await this.change(id, (before) => ({ ...before, state: "done", ended_at: this.#time() }));
  }

  async #read(id: string): Promise<RolloutDocument> {
    const document = /^[\w-]{1,64}$/.test(id)
      ? await this.#backend.getDocument<RolloutDocument>(rolloutsDatabase, idOf(id))
      : undefined;
    if (!document) throw new CouchError("not_found", "There is no such rollout.");
    return document;
  }

  #time(): string {
    return new Date(this.#now()).toISOString();
  }
}

const nothingDone = { seen: 0, changed: 0, failed: 0, failures: [], after: "" } as const;

function idOf(id: string): DocId {
  return parseDocId(prefix + id);
}

function rolloutOf({ _id, _rev, ...members }: RolloutDocument): StoredRollout {
  return { id: _id.slice(prefix.length), ...members } as StoredRollout;
}
