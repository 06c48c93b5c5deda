/**
 * Changes an entry of the registry, and brings `_security` and the accounts' lists into line with it.
 *
 * The registry's revision is the arbiter. Whoever changes an entry notes in the same write that it is aligning; writes `_security` and
 * lists by what it read; and takes its note back only if the entry is still the one that it read. Otherwise it begins again. So
 * whoever writes `_security` last has looked at the entry after that, and of two gateways it does not matter which is slower. A
 * note that stays is of a process that died: the next who meets the entry (an access, a log-in, the job at the start) does the same
 * work, which changes nothing where it was done.
 */
import { randomBytes } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { CouchError } from "../../../protocol/errors.js";
import { type DatabaseName, parseUserName, type RevId } from "../../../protocol/ids.js";
import type { Backend } from "../../backend/backend.js";
import { type Alignment, isOpen, type ManagedDatabase, membersOf, stateOf } from "../databases/managed-database.js";
import type { DatabaseRegistry, RegistryChange } from "../databases/registry.js";
import { isConflict } from "../retry-conflicts.js";
import { Turns } from "../turns.js";
import type { Memberships } from "./memberships.js";
import { securityOf } from "./shared-security.js";

export interface AlignmentsParts {
  readonly backend: Backend;
  readonly registry: DatabaseRegistry;
  readonly memberships: Memberships;
  readonly now: () => number;
}

/** Milliseconds after which whoever notes that it is aligning must have died. */
const noteLife = 60_000;

export class Alignments {
  readonly #parts: AlignmentsParts;
  readonly #turns = new Turns<DatabaseName>();
  /** Entries that are in line as they are, though somebody's note stands in them. */
  readonly #inLine = new Map<DatabaseName, RevId | undefined>();

  constructor(parts: AlignmentsParts) {
    this.#parts = parts;
  }

  /**
   * `change` may be asked several times; undefined changes nothing, and what it throws is thrown. Resolves when all is in line.
   * @throws CouchError not_found
   */
  change(name: DatabaseName, change: (entry: ManagedDatabase) => RegistryChange | undefined): Promise<ManagedDatabase> {
    return this.#turns.take(name, async () => {
      const note = randomBytes(8).toString("hex");
      const changed = await this.#parts.registry.revise(name, (entry) => {
        const wanted = change(entry);
        if (!wanted) return undefined;
        const users = affected(entry, { ...entry, ...wanted } as ManagedDatabase);
        const mine: Alignment = { users, since: new Date(this.#parts.now()).toISOString() };
        return { ...wanted, aligning: { ...entry.aligning, [note]: mine } };
      });
      if (!changed) throw new CouchError("not_found", "Database does not exist.");
      return (await this.#align(name, note)) ?? changed;
    });
  }

  /** Brings into line what an entry says; for whoever finds that it may not be. */
  settle(name: DatabaseName): Promise<void> {
    return this.#turns.take(name, async () => void (await this.#align(name)));
  }

  /** Undefined (at once) when nothing is left to do, as far as is known: what every access asks. */
  settled(name: DatabaseName): Promise<void> | undefined {
    const entry = this.#parts.registry.known(name);
    if (entry instanceof Promise)
      return entry.then((read) => (read && this.#isOpenEnded(read) ? this.settle(name) : undefined));
    return entry && this.#isOpenEnded(entry) ? this.settle(name) : undefined;
  }

  #isOpenEnded({ name, aligning, revision }: ManagedDatabase): boolean {
    if (aligning === undefined) return false;
    return this.#inLine.get(name) !== revision;
  }

  /** @returns the entry that everything is in line with */
  async #align(name: DatabaseName, note?: string): Promise<ManagedDatabase | undefined> {
    const { registry, memberships } = this.#parts;
    for (;;) {
      const entry = await registry.find(name);
      if (!entry) return undefined;
      if (!(await this.#secure(entry))) return entry;
      const users = new Set(Object.values(entry.aligning ?? {}).flatMap((each) => each.users));
      for (const user of users) await memberships.align(parseUserName(user), entry);
      try {
        const { aligning, ...now } = await this.#takeBack(entry, note);
        if (aligning) this.#inLine.set(name, now.revision);
        else this.#inLine.delete(name);
        return { ...now, ...(aligning && { aligning }) };
      } catch (error) {
        if (!isConflict(error)) throw error;
      }
    }
  }

  /** @returns false when there is no database (any more, or yet) */
  async #secure(entry: ManagedDatabase): Promise<boolean> {
    const { backend } = this.#parts;
    // An entry of a database that was only just made: `database-maker.ts` comes here again.
    if (stateOf(entry) === "making" && !(await backend.databaseExists(entry.name))) return true;
    try {
      const before = await backend.getSecurity(entry.name);
      const after = securityOf(entry, before);
      if (!isDeepStrictEqual(before, after)) await backend.putSecurity(entry.name, after);
      return true;
    } catch (error) {
      if (!(error instanceof CouchError) || error.error !== "not_found") throw error;
      // Of a user's own, the account says whether it is to be there.
      if (isOpen(entry) && entry.kind === "own") return true;
      await this.#forget(entry);
      return false;
    }
  }

  /** Takes our note back, and those of the dead. @throws CouchError conflict when the entry is another by now */
  async #takeBack(entry: ManagedDatabase, note: string | undefined): Promise<ManagedDatabase> {
    const { registry, now } = this.#parts;
    const notes = Object.entries(entry.aligning ?? {});
    const kept = notes.filter(([id, { since }]) => id !== note && Date.parse(since) + noteLife > now());
    if (kept.length < notes.length) {
      return await registry.replace(entry, { aligning: kept.length === 0 ? undefined : Object.fromEntries(kept) });
    }
    const current = await registry.find(entry.name);
    if (current?.revision !== entry.revision) throw new CouchError("conflict");
    return entry;
  }

  /** A server administrator deleted the database itself. */
  async #forget(entry: ManagedDatabase): Promise<void> {
    const { registry, memberships } = this.#parts;
    for (const user of Object.keys(membersOf(entry))) await memberships.drop(parseUserName(user), entry.name);
    await registry.remove(entry.name);
    this.#inLine.delete(entry.name);
  }
}

/** Whose lists may have to change: all for whom anything did. */
function affected(before: ManagedDatabase, after: ManagedDatabase): readonly string[] {
  const [old, now] = [membersOf(before), membersOf(after)];
  const all = new Set([...Object.keys(old), ...Object.keys(now)]);
  if (stateOf(before) !== stateOf(after)) return [...all];
  const others = [...all].filter((name) => (old[name] === undefined) !== (now[name] === undefined));
  return before.owner === after.owner ? others : [...new Set([...others, before.owner, after.owner])];
}
