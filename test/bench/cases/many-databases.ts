import { equal } from "node:assert/strict";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { BenchCase } from "../bench-case.js";

const clients = 64;

/** As provisioning leaves a database of a user: a security object, a design document, nothing else. */
const designDocument = {
  _id: "_design/app",
  language: "javascript",
  validate_doc_update: "function (doc) { if (!doc.type && !doc._deleted) throw({forbidden: 'type is missing'}); }",
  views: { "by-type": { map: "function (doc) { emit(doc.type, null); }", reduce: "_count" } },
};

/** What a database costs that nobody uses; `--only many-databases`. */
export const manyDatabases: BenchCase = {
  id: "many-databases",
  onRequest: true,
  rows: [
    { id: "many-provisioned", label: "100,000 databases provisioned over HTTP", unit: "databases/s" },
    { id: "many-rss", label: "resident memory added by them", unit: "MB", lessIsBetter: true },
    { id: "many-files", label: "open files added by them", unit: "files", lessIsBetter: true },
    { id: "many-disk", label: "bytes on disk per database", unit: "bytes", lessIsBetter: true },
    { id: "many-start", label: "starting again with all of them", unit: "ms", lessIsBetter: true },
    { id: "many-rss-restarted", label: "resident memory after that", unit: "MB", lessIsBetter: true },
    { id: "many-first-read", label: "first answer of a database not touched since", unit: "ms", lessIsBetter: true },
  ],
  async run({ load, newDatabasePath, note, peer, quick }) {
    const count = quick ? 5000 : 100_000;
    const paths = Array.from({ length: count }, newDatabasePath);
    const memoryBefore = peer.residentBytes() ?? Number.NaN;
    const filesBefore = peer.openFiles() ?? Number.NaN;
    const started = performance.now();
    const phase = async (what: string, request: (path: string) => Buffer): Promise<void> => {
      const { sent, seconds } = await load.run(paths.map(request), clients);
      note(`${sent} ${what} in ${seconds.toFixed(1)} s`);
    };
    await phase("databases created", (path) => load.prepare("PUT", path));
    await phase("security objects written", (path) => load.prepare("PUT", `${path}/_security`, securityOf(path)));
    await phase("design documents written", (path) =>
      load.prepare("PUT", `${path}/${designDocument._id}`, designDocument),
    );
    const seconds = (performance.now() - started) / 1000;
    const memory = peer.residentBytes() ?? Number.NaN;
    const files = peer.openFiles() ?? Number.NaN;

    load.close();
    const restarting = performance.now();
    await peer.restart();
    const restarted = performance.now() - restarting;
    const memoryRestarted = peer.residentBytes() ?? Number.NaN;
    const reading = performance.now();
    const middle = paths[count >> 1] as string;
    const information = (await load.ask("GET", middle)).json();
    const firstRead = performance.now() - reading;
    equal(information.doc_count, 1);
    const security = (await load.ask("GET", `${middle}/_security`)).json();
    equal(security.members.names[0], middle.slice(1));
    return {
      "many-provisioned": count / seconds,
      "many-rss": (memory - memoryBefore) / 2 ** 20,
      "many-files": files - filesBefore,
      "many-disk": bytesUnder(peer.dataDir ?? ".") / count,
      "many-start": restarted,
      "many-rss-restarted": memoryRestarted / 2 ** 20,
      "many-first-read": firstRead,
    };
  },
};

function securityOf(path: string): object {
  return { admins: { roles: ["_admin"] }, members: { names: [path.slice(1)], roles: [] } };
}

function bytesUnder(directory: string): number {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((total, entry) => total + statSync(join(entry.parentPath, entry.name)).size, 0);
}
