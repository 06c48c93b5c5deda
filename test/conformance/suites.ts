/** The recordings, and which of them the tests replay. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { repositoryRoot } from "../helpers/repository-root.js";

const folder = join(repositoryRoot, "test", "conformance", "couchdb-3.5.0");

/** What each range of scenarios is about, by the beginning of their names. A feature's files join when it is there. */
export const suites: Readonly<Record<string, readonly string[]>> = {
  server: ["00-", "10-"],
  databases: ["11-"],
  documents: ["12-", "13-", "14-", "26-"],
  bulk: ["15-", "16-", "17-revs-diff"],
  "purging and maintenance": ["17-maintenance", "17-purge"],
  copies: ["23-"],
  partitions: ["24-"],
  "local documents": ["18-"],
  "all documents and design documents": ["19-"],
  changes: ["20-"],
  attachments: ["21-", "22-"],
  views: ["40-", "41-", "42-", "43-"],
  "bad design documents": ["44-"],
  validation: ["45-"],
  filters: ["46-"],
  "updates, shows, lists and rewrites": ["47-", "48-", "49-"],
  "Mango queries": ["50-", "51-", "52-"],
  "updates of all databases": ["25-"],
  sessions: ["53-"],
  replication: ["57-"],
  accounts: ["54-"],
  "administrators' endpoints and the node": ["56-", "58-"],
};

/** Every recording there is, in the order of their names. */
export function allScenarioFiles(): readonly string[] {
  const names = readdirSync(folder).filter((name) => /^\d.*\.json$/.test(name));
  return names.sort().map((name) => join(folder, name));
}

/** Those of one suite. @throws Error when one of its beginnings fits no file */
export function suiteFiles(beginnings: readonly string[]): readonly string[] {
  return beginnings.flatMap((beginning) => {
    const files = allScenarioFiles().filter((file) => file.startsWith(join(folder, beginning)));
    if (files.length === 0) throw new Error(`no recording begins with ${beginning}`);
    return files;
  });
}
