/** `/_scheduler`: which replications there are, and how they fare. */
import { CouchError } from "../../../protocol/errors.js";
import type { Database } from "../../documents/database.js";
import {
  type DocumentState,
  describeDocument,
  describeJob,
  documentStates,
} from "../../replicator/scheduler/describe.js";
import { type Call, json, type Reply } from "../call.js";
import { nodeName } from "../node-name.js";
import type { Query } from "../query.js";

const defaultLimit = 25;

interface Page {
  readonly limit: number;
  readonly skip: number;
}

/** What CouchDB says of the path alone. */
export function schedulerAlone(): Reply {
  return json({ error: "not found" }, 404);
}

export function schedulerJobs({ services: { replicator }, query }: Call): Reply {
  const { limit, skip } = pageOf(query);
  const jobs = replicator.jobs;
  const shown = jobs.slice(skip, skip + limit).map((job) => describeJob(job, nodeName));
  return json({ total_rows: jobs.length, offset: skip, jobs: shown });
}

export function schedulerJob({ services: { replicator }, params }: Call): Reply {
  const job = replicator.job(params["job"] as string);
  if (!job) throw new CouchError("not_found", "missing");
  return json(describeJob(job, nodeName));
}

export async function schedulerDocs(call: Call): Promise<Reply> {
  const states = statesOf(call.query);
  return await listDocuments(call, call.services.replicator.documentDatabases, states);
}

/** `_scheduler/docs/{db}`, `_scheduler/docs/{db}/{docid}`; a database's name may have a slash in it. */
export async function schedulerDocsBelow(call: Call): Promise<Reply> {
  const { replicator } = call.services;
  const path = call.params["*"] as string;
  const databases = replicator.documentDatabases;
  const whole = databases.find(({ name }) => name === path);
  if (whole) return await listDocuments(call, [whole], statesOf(call.query));
  const database = databases.find(({ name }) => path.startsWith(`${name}/`));
  if (!database) throw new CouchError("bad_request", "Invalid path");
  const id = path.slice(database.name.length + 1);
  const described = describeDocument(replicator, database, id, nodeName);
  if (!described) throw new CouchError("not_found", "missing");
  return json(described);
}

async function listDocuments(
  { services: { replicator }, query }: Call,
  databases: readonly Database[],
  states: ReadonlySet<string> | undefined,
): Promise<Reply> {
  const { limit, skip } = pageOf(query);
  const docs: unknown[] = [];
  let total = 0;
  for (const database of databases) {
    for await (const documents of database.documents({})) {
      for (const { id } of documents) {
        if (id.startsWith("_design/")) continue;
        const described = describeDocument(replicator, database, id, nodeName);
        if (!described || (states && !states.has(described["state"] as string))) continue;
        if (total >= skip && docs.length < limit) docs.push(described);
        total++;
      }
    }
  }
  return json({ total_rows: total, offset: skip, docs });
}

function statesOf(query: Query): ReadonlySet<string> | undefined {
  const text = query.get("states");
  if (text === undefined) return undefined;
  const states = text.split(",");
  if (!states.every((state) => documentStates.includes(state as DocumentState))) {
    throw new CouchError("query_parse_error", `States must be one or more of [${documentStates.join(",")}]`);
  }
  return new Set(states);
}

function pageOf(query: Query): Page {
  return { limit: whole(query, "limit", defaultLimit), skip: whole(query, "skip", 0) };
}

function whole(query: Query, name: string, missing: number): number {
  const text = query.get(name);
  if (text === undefined) return missing;
  if (!/^\d{1,9}$/.test(text)) {
    throw new CouchError("query_parse_error", `Invalid value for integer: ${JSON.stringify(text)}`);
  }
  return Number(text);
}
