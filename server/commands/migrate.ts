/** `settee migrate`: moves the databases of one server to another, or into this data directory, and verifies that they are there. */
import { setMaxListeners } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { loadConfig } from "../config.js";
import { isInternalDatabase, isSystemDatabase } from "../gateway/system-databases.js";
import { parseEndpoint, type UrlEndpoint } from "../replicator/endpoint.js";
import { LocalServer } from "../replicator/migration/local-server.js";
import {
  type MigratedDatabase,
  type MigrationProgress,
  migrate as migrateDatabases,
} from "../replicator/migration/migration.js";
import { RemoteServer } from "../replicator/migration/remote-server.js";
import type { ServerEnd } from "../replicator/migration/server-end.js";
import { addressRules } from "../replicator/remote/address-rules.js";
import { Outgoing } from "../replicator/remote/outgoing.js";
import { Settee } from "../settee.js";
import { type Command, UsageError } from "./command.js";
import { showMadeAdmin } from "./made-admin.js";

const retries = 8;
const timeout = 60_000;
/** Milliseconds between lines of progress. */
const progressInterval = 2_000;

interface Report {
  readonly from: string;
  readonly to: string;
  readonly databases: readonly MigratedDatabase[];
}

export const migrate: Command = {
  usage: `migrate --from URL [--to URL] [--users] [--at-once N] [--report FILE] [DATABASE...]
                moves the databases of a CouchDB or a Settee, all or those that are named, and verifies that they arrived
                --from, --to: servers, with an administrator's name and password in the URL; without --to into the data
                directory of the settings, which no server may have open
                --users: _users as well, accounts with the hashes of their passwords
                --at-once: databases on their way at the same time (8)
                --report: a file for what was found, as JSON; a second run leaves out what it says is verified
                exit code 0: every database is there and verified; 1: one is not`,
  run: runMigrate,
};

async function runMigrate(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      from: { type: "string" },
      to: { type: "string" },
      users: { type: "boolean", default: false },
      "at-once": { type: "string", default: "8" },
      report: { type: "string" },
    },
  });
  const atOnce = Number(values["at-once"]);
  if (values.from === undefined) throw new UsageError("migrate needs --from.");
  if (!Number.isInteger(atOnce) || atOnce < 1 || atOnce > 100)
    throw new UsageError("--at-once is a number from 1 to 100.");
  // The operator's own choice: the addresses need no permission.
  const rules = addressRules(["*"]);
  const outgoing = new Outgoing({ rules: () => rules, connectionsPerServer: atOnce * 8 });
  const stopping = new AbortController();
  setMaxListeners(0, stopping.signal);
  const stop = (): void => stopping.abort();
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
  let settee: Settee | undefined;
  try {
    const from = new RemoteServer(serverOf(values.from), { outgoing, retries, timeout });
    if (values.to === undefined) {
      settee = await Settee.create(loadConfig(process.env, process.cwd()));
      // A data directory that is new has a new administrator.
      showMadeAdmin(settee);
    }
    const to = settee
      ? new LocalServer(settee.databases, settee.replication.services.local, "file:///")
      : new RemoteServer(serverOf(values.to as string), { outgoing, retries, timeout });
    const names = await namesOf(from, positionals, values.users, stopping.signal);
    return await move(from, to, names, { atOnce, file: values.report, signal: stopping.signal });
  } finally {
    process.off("SIGINT", stop);
    process.off("SIGTERM", stop);
    await outgoing.close();
    await settee?.close();
  }
}

interface MoveOptions {
  readonly atOnce: number;
  readonly file: string | undefined;
  readonly signal: AbortSignal;
}

async function move(
  from: ServerEnd,
  to: ServerEnd,
  names: readonly string[],
  { atOnce, file, signal }: MoveOptions,
): Promise<number> {
  const before = file === undefined ? [] : verifiedBefore(file, from, to).filter(({ name }) => names.includes(name));
  const done = new Set(before.map(({ name }) => name));
  const left = names.filter((name) => !done.has(name));
  if (before.length > 0) say(`${before.length} databases are verified by an earlier report`);
  const moved: MigratedDatabase[] = [];
  const write = (): void => {
    if (file === undefined) return;
    const databases = [...before, ...moved].sort((a, b) => (a.name < b.name ? -1 : 1));
    const report: Report = { from: from.url, to: to.url, databases };
    writeFileSync(file, `${JSON.stringify(report, null, 1)}\n`);
  };
  let last: MigrationProgress = { databases: 0, documents: 0 };
  const timer = setInterval(() => {
    say(`${before.length + last.databases} of ${names.length} databases, ${last.documents} documents`);
    write();
  }, progressInterval);
  try {
    await migrateDatabases({
      from,
      to,
      names: left,
      atOnce,
      signal,
      progress: (progress) => {
        last = progress;
      },
      finished: (database) => {
        moved.push(database);
        tell(database);
      },
    });
  } finally {
    clearInterval(timer);
    write();
  }
  return summarise([...before, ...moved], names);
}

function tell({ name, error, notes, refused, refusedCount, found, verified }: MigratedDatabase): void {
  for (const note of notes) say(`${name}: ${note}`);
  if (error !== undefined) say(`${name}: ${error}`);
  for (const refusal of refused) say(`${name}: refused ${refusal}`);
  if (refusedCount > refused.length) say(`${name}: ... and ${refusedCount - refused.length} more were refused`);
  for (const missing of found?.missing ?? []) say(`${name}: not as at the source: ${missing}`);
  if (!verified && found && found.missingCount === 0 && refusedCount === 0) {
    say(`${name}: ${found.documents.join(" and ")} documents, ${found.deletedDocuments.join(" and ")} deleted ones`);
  }
}

function summarise(all: readonly MigratedDatabase[], names: readonly string[]): number {
  const verified = all.filter((database) => database.verified);
  const sum = (of: (database: MigratedDatabase) => number | undefined): number =>
    verified.reduce((total, database) => total + (of(database) ?? 0), 0);
  const lines = [
    `databases     ${verified.length} verified of ${names.length}`,
    `documents     ${sum(({ found }) => found?.documents[0])}`,
    `deleted       ${sum(({ found }) => found?.deletedDocuments[0])}`,
    `leaves        ${sum(({ found }) => found?.leaves)}`,
    `conflicts     ${sum(({ found }) => found?.conflicts)}`,
    `attachments   ${sum(({ found }) => found?.attachments)}`,
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
  return verified.length === names.length ? 0 : 1;
}

async function namesOf(
  from: ServerEnd,
  given: readonly string[],
  users: boolean,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const all = given.length > 0 ? given : (await from.names(signal)).filter((name) => !isServersOwn(name));
  return users && !all.includes("_users") ? [...all, "_users"] : all;
}

/** Another server's state means nothing elsewhere, and its replications would run twice: moved only when they are named. */
function isServersOwn(name: string): boolean {
  return isSystemDatabase(name) || isInternalDatabase(name);
}

/** What an earlier report of the same migration says is there. */
function verifiedBefore(file: string, from: ServerEnd, to: ServerEnd): readonly MigratedDatabase[] {
  try {
    const report = JSON.parse(readFileSync(file, "utf8")) as Report;
    if (report.from !== from.url || report.to !== to.url) return [];
    return report.databases.filter(({ verified }) => verified);
  } catch {
    // There is none yet.
    return [];
  }
}

/** @throws CouchError invalid_replication */
function serverOf(url: string): UrlEndpoint {
  const endpoint = parseEndpoint(url);
  if (endpoint.kind === "url") return endpoint;
  throw new UsageError(`${url} is no URL of a server.`);
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
