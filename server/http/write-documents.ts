/**
 * The way of every ordinary write into the store: who may write design documents, what `_users` makes of a password, one place for
 * both.
 */
import type { IncomingHttpHeaders } from "node:http";
import { CouchError } from "../../protocol/errors.js";
import { type DocId, isDesignDocId, parseDocId, revIdOf } from "../../protocol/ids.js";
import type { Identity } from "../../protocol/security.js";
import type { JsonDocument } from "../backend/backend.js";
import { compileOnce } from "../documents/compile-once.js";
import type { Database } from "../documents/database.js";
import { checkDesignDocument } from "../documents/design-document.js";
import { documentText } from "../documents/document-text.js";
import type { IncomingRevision } from "../documents/incoming-revision.js";
import { canonicalJson, type ScannedDocument, scanDocument } from "../documents/json/json-text.js";
import { type RevisionNode, revOf } from "../documents/revisions/tree.js";
import type { WriteOutcome } from "../documents/write.js";
import { isDatabaseAdmin, notADatabaseAdmin } from "../gateway/access.js";
import type { OwnerUse, Release } from "../gateway/limits/owner-use.js";
import { prepareReplicationDocument } from "../replicator/scheduler/replication-document.js";
import { admitRevision, quotaOf } from "./quota.js";
import type { Services } from "./services.js";
import { askerOf } from "./settee/asker.js";

/** Who writes where, and what that takes. */
export interface WriteContext {
  readonly database: Database;
  readonly identity: Identity;
  readonly services: Pick<Services, "gateway" | "sandbox">;
  /** Of the request, where there is one. */
  readonly address?: string;
  readonly headers?: IncomingHttpHeaders;
}

const once = compileOnce();

/** One outcome for each revision, in order. */
export async function writeDocuments(
  call: WriteContext,
  revisions: readonly IncomingRevision[],
): Promise<readonly WriteOutcome[]> {
  const quota = await quotaOf(call);
  const outcomes = await writeAdmitted(call, revisions, quota);
  if (!quota || !revisions.some(({ deleted }, index) => deleted && !outcomes[index]?.error)) return outcomes;
  // Deletions of the same request may have made room: a device that sends both must not be told to come again.
  const again = revisions.filter((_, index) => outcomes[index]?.error?.error === "insufficient_storage");
  if (again.length === 0) return outcomes;
  const later = (await writeAdmitted(call, again, quota)).values();
  return outcomes.map((outcome) =>
    outcome.error?.error === "insufficient_storage" ? (later.next().value as WriteOutcome) : outcome,
  );
}

async function writeAdmitted(
  call: WriteContext,
  revisions: readonly IncomingRevision[],
  quota: OwnerUse | undefined,
): Promise<readonly WriteOutcome[]> {
  const { database, identity } = call;
  const refusals = new Map<IncomingRevision, CouchError>();
  const allowed: IncomingRevision[] = [];
  const releases: Release[] = [];
  let outcomes: readonly WriteOutcome[];
  try {
    for (const revision of revisions) {
      try {
        const admitted = await admit(call, revision);
        if (quota) releases.push(admitRevision(quota, database, admitted));
        allowed.push(admitted);
      } catch (error) {
        if (!(error instanceof CouchError)) throw error;
        refusals.set(revision, error);
      }
    }
    outcomes = await database.write(allowed, identity);
  } finally {
    for (const release of releases) release();
  }
  const written = outcomes.values();
  return revisions.map((revision) => {
    const error = refusals.get(revision);
    return error ? refusedOutcome(revision, error) : (written.next().value as WriteOutcome);
  });
}

/** A revision that another server made is refused by its name. */
function refusedOutcome({ id, origin }: IncomingRevision, error: CouchError): WriteOutcome {
  if (origin.kind === "edit") return { id, error };
  return { id, rev: revIdOf(origin.path.start, origin.path.hashes[0] as string), error };
}

/** One revision; its refusal is thrown. */
export async function writeDocument(call: WriteContext, revision: IncomingRevision): Promise<WriteOutcome> {
  const [outcome] = await writeDocuments(call, [revision]);
  if (outcome?.error) throw outcome.error;
  return outcome as WriteOutcome;
}

/** The revision as it may be written. @throws CouchError */
export function admit(call: WriteContext, revision: IncomingRevision): IncomingRevision | Promise<IncomingRevision> {
  const { database, identity } = call;
  // Members cannot change what validates them.
  if (isDesignDocId(revision.id)) {
    if (!isDatabaseAdmin(identity, database.security())) throw notADatabaseAdmin(identity);
    return admitDesignDocument(call, revision);
  }
  if (database.kind === "users") return admitUser(call, revision);
  return database.kind === "replicator" ? admitReplication(call, revision) : revision;
}

async function admitDesignDocument(
  { database, services }: WriteContext,
  revision: IncomingRevision,
): Promise<IncomingRevision> {
  // A bad one that is there already can always be deleted.
  if (revision.deleted) return revision;
  await checkDesignDocument(JSON.parse(revision.body.toString()) as Record<string, unknown>, {
    partitioned: database.partitioned,
    compile: once((sources) => services.sandbox.compile({ database: database.name, designDoc: revision.id, sources })),
  });
  return revision;
}

async function admitUser(call: WriteContext, revision: IncomingRevision): Promise<IncomingRevision> {
  const { database, identity, services } = call;
  const old = winnerOf(database, revision.id);
  const incoming = asJson(revision.id, undefined, { body: revision.body, attachments: [] });
  const document = revision.deleted ? { ...incoming, _deleted: true } : incoming;
  const asker = askerOf({ address: call.address ?? "", headers: call.headers ?? {} });
  const prepared = await services.gateway.prepareUserDocument(document, old, identity, asker);
  return { ...revision, body: scanned(prepared).body };
}

function admitReplication({ database, identity }: WriteContext, revision: IncomingRevision): IncomingRevision {
  const document = JSON.parse(revision.body.toString()) as Record<string, unknown>;
  const old = winnerOf(database, revision.id);
  const prepared = prepareReplicationDocument(document, old, revision.deleted, identity);
  return { ...revision, body: canonicalJson(Buffer.from(JSON.stringify(prepared))) };
}

function winnerOf(database: Database, id: DocId): JsonDocument | undefined {
  const found = database.find(id);
  const node = found?.record.tree[found.record.winner] as RevisionNode | undefined;
  const value = found && node && !node.deleted ? database.value(found, found.record.winner) : undefined;
  return value && node ? asJson(id, revOf(node), value) : undefined;
}

function asJson(id: string, rev: string | undefined, value: Parameters<typeof documentText>[0]["value"]): JsonDocument {
  return JSON.parse(documentText({ id, rev, deleted: false, value }).toString()) as JsonDocument;
}

function scanned(document: JsonDocument): ScannedDocument {
  parseDocId(document._id);
  return scanDocument(Buffer.from(JSON.stringify(document)));
}
