/**
 * What happened to an account, for its user to look at: one document of `settee_accounts` for each user, with the last
 * hundred events. It is a service and no record: what it cannot write stops nothing.
 */
import { createHash } from "node:crypto";
import { type DocId, parseDocId } from "../../../protocol/ids.js";
import type { Backend, JsonDocument } from "../../backend/backend.js";
import { retryConflicts } from "../retry-conflicts.js";
import { accountsDatabase } from "../system-databases.js";

export type ActivityKind =
  | "signed_up"
  | "logged_in"
  | "log_in_failed"
  | "password_changed"
  | "password_reset"
  | "email_verified"
  | "email_change_asked"
  | "profile_changed"
  | "second_factor_enabled"
  | "second_factor_disabled"
  | "recovery_code_used"
  | "claimed"
  | "exported"
  | "disabled"
  | "enabled"
  | "roles_changed";

export interface Activity {
  /** ISO 8601. */
  readonly time: string;
  readonly kind: ActivityKind;
  /** Where the request came from. */
  readonly address: string;
  /** The administrator or manager who did it, when it was not the user. */
  readonly by?: string;
  /** How often in a row, when more than once. */
  readonly count?: number;
}

interface ActivityDocument extends JsonDocument {
  readonly user: string;
  /** The latest first. */
  readonly events: readonly Activity[];
}

const maxEvents = 100;

export class ActivityLog {
  readonly #backend: Backend;
  readonly #now: () => number;
  readonly #onError: (error: unknown) => void;
  /** The last write for each user: those of one user are made one after the other. */
  readonly #turns = new Map<string, Promise<void>>();

  constructor(backend: Backend, now: () => number, onError: (error: unknown) => void) {
    this.#backend = backend;
    this.#now = now;
    this.#onError = onError;
  }

  /** Never rejects. */
  record(user: string, kind: ActivityKind, address: string, by?: string): Promise<void> {
    const event = { time: new Date(this.#now()).toISOString(), kind, address, ...(by !== undefined && { by }) };
    const turn = (this.#turns.get(user) ?? Promise.resolve())
      .then(() => retryConflicts(() => this.#write(user, event)))
      .catch(this.#onError)
      .finally(() => {
        if (this.#turns.get(user) === turn) this.#turns.delete(user);
      });
    this.#turns.set(user, turn);
    return turn;
  }

  /** The latest first. */
  async of(user: string): Promise<readonly Activity[]> {
    return (await this.#read(user))?.events ?? [];
  }

  async forget(user: string): Promise<void> {
    await this.#turns.get(user);
    await retryConflicts(async () => {
      const document = await this.#read(user);
      if (!document) return;
      const { _id, _rev } = document;
      await this.#backend.putDocument(accountsDatabase, { _id, _rev: _rev as string, _deleted: true });
    });
  }

  async #write(user: string, event: Activity): Promise<void> {
    const document = await this.#read(user);
    const [latest, ...others] = document?.events ?? [];
    // A guesser must not be able to push everything else out.
    const isAgain =
      latest && event.kind === "log_in_failed" && latest.kind === event.kind && latest.address === event.address;
    const events = isAgain
      ? [{ ...event, count: (latest.count ?? 1) + 1 }, ...others]
      : [event, ...(document?.events ?? [])].slice(0, maxEvents);
    await this.#backend.putDocument(accountsDatabase, { ...document, _id: idOf(user), user, events });
  }

  #read(user: string): Promise<ActivityDocument | undefined> {
    return this.#backend.getDocument<ActivityDocument>(accountsDatabase, idOf(user));
  }
}

/** Names may be of any letters and lengths; ids are these. */
function idOf(user: string): DocId {
  return parseDocId(`activity-${createHash("sha256").update(user).digest("hex")}`);
}
