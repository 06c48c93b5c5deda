/** PouchDB 9 as an app has it, over memory: the device of the tests. PouchDB ships no types; these are what we use. */
import type { EventEmitter } from "node:events";
import { createRequire } from "node:module";

export interface PouchDocument {
  readonly _id: string;
  readonly _rev?: string;
  readonly _deleted?: boolean;
  readonly _conflicts?: readonly string[];
  readonly _attachments?: Readonly<Record<string, PouchAttachment>>;
  readonly [member: string]: unknown;
}

export interface PouchAttachment {
  readonly content_type: string;
  readonly data?: Buffer | string;
  readonly digest?: string;
  readonly length?: number;
}

export interface PouchOutcome {
  readonly ok?: boolean;
  readonly id: string;
  readonly rev: string;
  readonly error?: unknown;
}

export interface ReplicationResult {
  readonly ok: boolean;
  readonly docs_read: number;
  readonly docs_written: number;
  readonly doc_write_failures: number;
}

export interface ReplicationOptions {
  readonly live?: boolean;
  readonly retry?: boolean;
  readonly batch_size?: number;
  readonly batches_limit?: number;
  readonly back_off_function?: (delay: number) => number;
}

/** A running replication or sync: events `change`, `paused`, `active`, `denied`, `error`, `complete`. */
export interface Replication<Result = ReplicationResult> extends EventEmitter, Promise<Result> {
  cancel(): void;
}

export interface PouchInfo {
  readonly doc_count: number;
  readonly update_seq: number | string;
}

export interface AllDocsRow {
  readonly id: string;
  readonly key: string;
  readonly value: { readonly rev: string };
  readonly doc?: PouchDocument;
}

export interface ChangesResult {
  readonly results: readonly { readonly id: string; readonly changes: readonly { readonly rev: string }[] }[];
}

export interface Pouch {
  readonly name: string;
  info(): Promise<PouchInfo>;
  get(id: string, options?: Readonly<Record<string, unknown>>): Promise<PouchDocument & { _rev: string }>;
  put(document: PouchDocument): Promise<PouchOutcome>;
  remove(id: string, rev: string): Promise<PouchOutcome>;
  bulkDocs(documents: readonly PouchDocument[]): Promise<readonly PouchOutcome[]>;
  allDocs(options?: Readonly<Record<string, unknown>>): Promise<{ readonly rows: readonly AllDocsRow[] }>;
  changes(options?: Readonly<Record<string, unknown>>): Promise<ChangesResult>;
  getAttachment(id: string, name: string): Promise<Buffer>;
  readonly replicate: {
    to(target: Pouch, options?: ReplicationOptions): Replication;
    from(source: Pouch, options?: ReplicationOptions): Replication;
  };
  sync(other: Pouch, options?: ReplicationOptions): Replication<unknown>;
  close(): Promise<void>;
  destroy(): Promise<void>;
}

interface PouchConstructor {
  new (name: string, options?: Readonly<Record<string, unknown>>): Pouch;
  plugin(plugin: unknown): void;
  fetch(url: string, options: { headers: Headers }): Promise<Response>;
}

const require = createRequire(import.meta.url);
export const PouchDB: PouchConstructor = require("pouchdb");
PouchDB.plugin(require("pouchdb-adapter-memory"));

let devices = 0;

/** An empty database on a device of its own. */
export function newDevice(): Pouch {
  devices += 1;
  return new PouchDB(`device-${process.pid}-${devices}`, { adapter: "memory" });
}

/** The server's database as PouchDB sees it, with a name and a password. */
export function remoteDatabase(url: string, name: string, password: string): Pouch {
  return new PouchDB(url, { auth: { username: name, password }, skip_setup: true });
}

/** The same with an access token; `token` is asked for each request, so that it may be renewed. */
export function remoteDatabaseByToken(url: string, token: () => string): Pouch {
  return new PouchDB(url, {
    skip_setup: true,
    fetch: (target: string, options: { headers: Headers }) => {
      options.headers.set("authorization", `Bearer ${token()}`);
      return PouchDB.fetch(target, options);
    },
  });
}

/** Every document's winning revision by id, and every leaf: what two replicas must have in common. */
export async function leavesOf(database: Pouch): Promise<ReadonlyMap<string, string>> {
  const { results } = await database.changes({ since: 0, style: "all_docs" });
  return new Map(results.map((row) => [row.id, row.changes.map((change) => change.rev).join(" ")]));
}
