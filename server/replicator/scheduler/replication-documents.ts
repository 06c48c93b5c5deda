/**
 * Follows the databases of `_replicator` documents: a document that comes starts a job, one that changes starts another, one that goes
 * ends its own. What became of a job is written back into its document.
 */
import type { CouchError } from "../../../protocol/errors.js";
import { type DatabaseName, type DocId, isDesignDocId, type RevId } from "../../../protocol/ids.js";
import type { Database } from "../../documents/database.js";
import { databaseKind } from "../../documents/database-kind.js";
import type { Databases } from "../../documents/databases.js";
import { scanDocument } from "../../documents/json/json-text.js";
import { type RevisionNode, revOf } from "../../documents/revisions/tree.js";
import { backOff } from "../back-off.js";
import { asReplicationError } from "../failures.js";
import type { JobDocument } from "./job.js";
import { finalStateOf } from "./replication-document.js";

type Json = Readonly<Record<string, unknown>>;

/** A document that something is to be done for. */
export interface ActiveDocument {
  readonly database: DatabaseName;
  readonly id: DocId;
  readonly rev: RevId;
  /** Of its job, once it has one. */
  readonly jobId: string | undefined;
  /** Why it has none yet. */
  readonly error: string | undefined;
  readonly errors: number;
  readonly sinceTime: number;
}

export interface ReplicationDocumentsParts {
  readonly databases: Databases;
  /** Starts the job of a document. Resolves to its id. @throws CouchError; `isFinal` errors are not tried again */
  readonly begin: (document: JobDocument, members: Json, delay: number) => Promise<string>;
  readonly cancel: (jobId: string) => Promise<unknown>;
  /** Whether trying again cannot help. */
  readonly isFinal: (error: CouchError) => boolean;
  /** Milliseconds within which the documents that are there at the start begin. */
  readonly startupJitter: () => number;
  readonly onError: (error: unknown, document: JobDocument) => void;
}

interface Followed {
  readonly database: Database;
  readonly stop: () => void;
  readonly waiting: Set<DocId>;
  working: Promise<void> | undefined;
}

const retryBackOff = { first: 5_000, most: 3_600_000 };

export class ReplicationDocuments {
  readonly #parts: ReplicationDocumentsParts;
  readonly #followed = new Map<DatabaseName, Followed>();
  readonly #active = new Map<string, ActiveDocument>();
  readonly #timers = new Map<string, NodeJS.Timeout>();
  #unsubscribe: (() => void) | undefined;
  #stopped = false;
  #starting = true;

  constructor(parts: ReplicationDocumentsParts) {
    this.#parts = parts;
  }

  async start(): Promise<void> {
    const { databases } = this.#parts;
    this.#unsubscribe = databases.subscribe(({ name, type }) => {
      if (databaseKind(name) !== "replicator") return;
      if (type === "deleted") void this.#unfollow(name);
      else void this.#follow(name);
    });
    for await (const names of databases.names()) {
      for (const name of names) if (databaseKind(name) === "replicator" && !this.#stopped) await this.#follow(name);
    }
    this.#starting = false;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#unsubscribe?.();
    for (const timer of this.#timers.values()) clearTimeout(timer);
    for (const { stop } of this.#followed.values()) stop();
    await Promise.all([...this.#followed.values()].map(({ working }) => working));
  }

  get databases(): readonly Database[] {
    return [...this.#followed.values()].map(({ database }) => database);
  }

  active(database: string, id: string): ActiveDocument | undefined {
    return this.#active.get(keyOf(database, id));
  }

  /** Writes what became of a job, unless the document is another one by now. */
  async finish({ database, id }: JobDocument, state: Json): Promise<void> {
    const active = this.active(database, id);
    const followed = this.#followed.get(database as DatabaseName);
    if (!active || !followed || this.#stopped) return;
    this.#active.delete(keyOf(database, id));
    await writeState(followed.database, id as DocId, active.rev, state);
  }

  async #follow(name: DatabaseName): Promise<void> {
    if (this.#followed.has(name) || this.#stopped) return;
    const database = await this.#parts.databases.open(name).catch(() => undefined);
    if (!database || this.#followed.has(name)) return;
    const waiting = new Set<DocId>();
    const hear = (ids: readonly DocId[]): void => {
      for (const id of ids) if (!isDesignDocId(id)) waiting.add(id);
      this.#work(followed);
    };
    const stop = database.subscribe({
      changed: (changes) => hear(changes.map(({ id }) => id)),
      purged: (ids) => hear(ids),
    });
    const followed: Followed = { database, stop, waiting, working: undefined };
    this.#followed.set(name, followed);
    for await (const documents of database.documents({})) hear(documents.map(({ id }) => id));
    await followed.working;
  }

  async #unfollow(name: DatabaseName): Promise<void> {
    this.#followed.get(name)?.stop();
    this.#followed.delete(name);
    for (const { database, id } of [...this.#active.values()]) {
      if (database === name) await this.#forget(database, id);
    }
  }

  #work(followed: Followed): void {
    followed.working ??= this.#workOff(followed).finally(() => {
      followed.working = undefined;
      if (followed.waiting.size > 0) this.#work(followed);
    });
  }

  async #workOff({ database, waiting }: Followed): Promise<void> {
    for (const id of waiting) {
      if (this.#stopped) return waiting.clear();
      waiting.delete(id);
      try {
        await this.#look(database, id);
      } catch (error) {
        this.#parts.onError(error, { database: database.name, id });
      }
    }
  }

  async #look(database: Database, id: DocId): Promise<void> {
    const found = database.find(id);
    const node = found?.record.tree[found.record.winner] as RevisionNode | undefined;
    const value = found && node && !node.deleted ? database.value(found, found.record.winner) : undefined;
    if (!found || !node || !value) return await this.#forget(database.name, id);
    const rev = revOf(node);
    const active = this.active(database.name, id);
    if (active?.rev === rev && active.error === undefined) return;
    if (active?.rev !== rev) await this.#forget(database.name, id);
    const members = JSON.parse(value.body.toString()) as Json;
    if (finalStateOf(members)) return await this.#forget(database.name, id);
    await this.#begin(database, id, rev, members);
  }

  async #begin(database: Database, id: DocId, rev: RevId, members: Json): Promise<void> {
    const { name } = database;
    const before = this.active(name, id);
    const entry = { database: name, id, rev, jobId: undefined, error: undefined, errors: before?.errors ?? 0 };
    const active: ActiveDocument = { ...entry, sinceTime: Date.now() };
    this.#active.set(keyOf(name, id), active);
    try {
      const delay = this.#starting ? Math.random() * this.#parts.startupJitter() : 0;
      const jobId = await this.#parts.begin({ database: name, id }, members, delay);
      // It may be over already.
      if (this.#active.get(keyOf(name, id)) === active)
        this.#active.set(keyOf(name, id), { ...active, jobId, errors: 0 });
    } catch (thrown) {
      const error = asReplicationError(thrown);
      if (this.#parts.isFinal(error)) {
        return await this.finish({ database: name, id }, failedState(error.reason));
      }
      const errors = active.errors + 1;
      this.#active.set(keyOf(name, id), { ...active, error: error.reason, errors });
      this.#lookAgain(name, id, backOff(errors, retryBackOff));
    }
  }

  #lookAgain(name: DatabaseName, id: DocId, wait: number): void {
    const timer = setTimeout(() => {
      this.#timers.delete(keyOf(name, id));
      const followed = this.#followed.get(name);
      if (!followed) return;
      followed.waiting.add(id);
      this.#work(followed);
    }, wait);
    timer.unref();
    this.#timers.set(keyOf(name, id), timer);
  }

  async #forget(database: string, id: string): Promise<void> {
    const key = keyOf(database, id);
    clearTimeout(this.#timers.get(key));
    this.#timers.delete(key);
    const active = this.#active.get(key);
    this.#active.delete(key);
    if (active?.jobId !== undefined) await this.#parts.cancel(active.jobId);
  }
}

export function failedState(reason: string): Json {
  return { _replication_state: "failed", _replication_state_reason: reason };
}

/** One more revision with the state, on top of the one that was replicated for; an edit meanwhile is left alone. */
async function writeState(database: Database, id: DocId, rev: RevId, state: Json): Promise<void> {
  const found = database.find(id);
  const node = found?.record.tree[found.record.winner] as RevisionNode | undefined;
  const value = found && node && revOf(node) === rev ? database.value(found, found.record.winner) : undefined;
  if (!value) return;
  const members = Object.entries(JSON.parse(value.body.toString()) as Json).filter(
    ([name]) => !name.startsWith("_replication_"),
  );
  const time = `${new Date().toISOString().slice(0, 19)}Z`;
  const body = Buffer.from(JSON.stringify({ ...Object.fromEntries(members), ...state, _replication_state_time: time }));
  const attachments = value.attachments.map(({ name, revpos }) => ({ kind: "stub" as const, name, revpos }));
  const origin = { kind: "edit" as const, parent: rev };
  const revision = { id, origin, deleted: false, body: canonical(body), attachments };
  const [outcome] = await database.write([revision], "trusted");
  if (outcome?.error && outcome.error.error !== "conflict") throw outcome.error;
}

/** Members with underscores are text like others here: what is stored is what the server itself writes. */
function canonical(body: Buffer): Buffer {
  const wrapped = scanDocument(Buffer.concat([Buffer.from('{"m":'), body, Buffer.from("}")])).body;
  return wrapped.subarray('{"m":'.length, wrapped.length - 1);
}

function keyOf(database: string, id: string): string {
  return `${database}\0${id}`;
}
