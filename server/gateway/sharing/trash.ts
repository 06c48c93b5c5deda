/** Databases that were deleted and can still be had back: closed to everybody but server administrators until their time is over. */
import { CouchError } from "../../../protocol/errors.js";
import type { DatabaseName } from "../../../protocol/ids.js";
import type { TrashedDatabase } from "../../../protocol/sharing.js";
import type { Backend } from "../../backend/backend.js";
import { isOpen, type ManagedDatabase, stateOf, type Trashed } from "../databases/managed-database.js";
import type { DatabaseRegistry } from "../databases/registry.js";
import type { Alignments } from "./alignments.js";

export interface TrashParts {
  readonly backend: Backend;
  readonly registry: DatabaseRegistry;
  readonly alignments: Alignments;
  /** Milliseconds in which a database can be had back; 0: none. */
  readonly grace: number;
  readonly now: () => number;
}

export class Trash {
  readonly #parts: TrashParts;

  constructor(parts: TrashParts) {
    this.#parts = parts;
  }

  /** @param check asked of the entry as it is then; what it throws is thrown. @throws CouchError not_found */
  async put(
    name: DatabaseName,
    because: Trashed["because"],
    check: (entry: ManagedDatabase) => void = () => undefined,
  ): Promise<void> {
    const { alignments, grace, now } = this.#parts;
    const deleted_at = new Date(now()).toISOString();
    const erase_at = new Date(now() + grace).toISOString();
    await alignments.change(name, (entry) => {
      check(entry);
      return isOpen(entry) ? { state: "trashed", trashed: { because, deleted_at, erase_at } } : undefined;
    });
    if (grace === 0) await this.eraseIfDue(name);
  }

  async list(): Promise<readonly TrashedDatabase[]> {
    const found: TrashedDatabase[] = [];
    for await (const entries of this.#parts.registry.entries()) {
      for (const entry of entries) if (entry.trashed && !isOpen(entry)) found.push(shown(entry, entry.trashed));
    }
    return found;
  }

  /** With its members, as it was. @throws CouchError not_found, conflict when it is being erased */
  async restore(name: DatabaseName): Promise<void> {
    await this.#parts.alignments.change(name, (entry) => {
      if (stateOf(entry) === "erasing") throw new CouchError("conflict", "The database is being erased.");
      if (stateOf(entry) !== "trashed") throw new CouchError("not_found", "The database is not in the trash.");
      return { state: undefined, trashed: undefined };
    });
  }

  /** Erases the database when its grace is over; nothing when it is not. Safe to repeat after a crash at any step. */
  async eraseIfDue(name: DatabaseName): Promise<void> {
    const { backend, registry, now } = this.#parts;
    const entry = await registry.revise(name, (before) => {
      const isDue = stateOf(before) === "trashed" && before.trashed && Date.parse(before.trashed.erase_at) <= now();
      return isDue ? { state: "erasing" } : undefined;
    });
    if (!entry || stateOf(entry) !== "erasing") return;
    await backend.deleteDatabase(name);
    await registry.remove(name);
  }
}

function shown(
  { name, kind, template, title, owner }: ManagedDatabase,
  { because, deleted_at, erase_at }: Trashed,
): TrashedDatabase {
  const titled = title === undefined ? {} : { title };
  return { name, kind, template, ...titled, owner, because, deleted_at, erased_at: erase_at };
}
