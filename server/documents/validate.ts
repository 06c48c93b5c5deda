/**
 * `validate_doc_update`: every design document of a database may refuse a revision, on every write path. The functions run in the
 * sandbox; this file knows which they are and what they are shown.
 */
import { CouchError } from "../../protocol/errors.js";
import { revIdOf } from "../../protocol/ids.js";
import type { Identity, SecurityObject } from "../../protocol/security.js";
import type { FunctionSource, Refusal, ValidationBatch, ValidationOutcome } from "../sandbox/sandbox.js";
import type { DocumentRecord, RevisionValue } from "./document-record.js";
import { documentText } from "./document-text.js";
import type { IncomingRevision } from "./incoming-revision.js";
import type { Placement } from "./placement.js";
import { pathOf, type RevisionNode, type RevisionPath, revOf } from "./revisions/tree.js";

export type { ValidationBatch, ValidationOutcome } from "../sandbox/sandbox.js";

/** `validate_doc_update` of one design document. */
export type ValidationFunction = FunctionSource;

/** Who runs the functions; the sandbox in the server. */
export type Validate = (batch: ValidationBatch) => Promise<readonly ValidationOutcome[]>;

/** One revision to be judged, with where it goes. */
export interface ValidationSubject {
  readonly incoming: IncomingRevision;
  readonly placement: Placement;
  readonly record: DocumentRecord | undefined;
}

export interface ValidationContext {
  readonly database: string;
  readonly functions: readonly ValidationFunction[];
  readonly security: SecurityObject;
  readonly validate: Validate;
  readonly read: (id: string, record: DocumentRecord, index: number) => RevisionValue | undefined;
}

/** For each subject the refusal, or undefined. */
export async function validateRevisions(
  context: ValidationContext,
  caller: Identity,
  subjects: readonly ValidationSubject[],
): Promise<readonly (CouchError | undefined)[]> {
  const outcomes = await context.validate({
    database: context.database,
    functions: context.functions,
    userCtx: { db: context.database, name: caller.name, roles: caller.roles },
    security: context.security,
    calls: subjects.map((subject) => ({ newDoc: newDocument(subject), oldDoc: oldDocument(context, subject) })),
  });
  return outcomes.map((outcome) => (outcome ? refusal(outcome) : undefined));
}

/** A function may give any JSON as its reason; it is told as it is. */
function refusal({ error, reason, status }: Refusal): CouchError {
  if (typeof reason === "string") return new CouchError(error, reason, { status });
  return new CouchError(error, JSON.stringify(reason), { status, detail: { reason } });
}

/** An edit is shown with the revision that it is made on, a replicated revision with its own, as CouchDB does. */
function newDocument({ incoming, placement }: ValidationSubject): string {
  const { origin, id, deleted } = incoming;
  const { path } = placement;
  const shown: RevisionPath =
    origin.kind === "replicated" ? path : { start: path.start - 1, hashes: path.hashes.slice(1) };
  const { value } = placement;
  // A new document has no revision yet; validation functions test for that.
  if (shown.hashes.length === 0) return documentText({ id, rev: undefined, deleted, value }).toString();
  const rev = revIdOf(shown.start, shown.hashes[0] as string);
  return documentText({
    id,
    rev,
    deleted,
    value,
    meta: [["_revisions", { start: shown.start, ids: shown.hashes }]],
  }).toString();
}

function oldDocument(context: ValidationContext, { incoming, placement, record }: ValidationSubject): string | null {
  const { ancestor } = placement;
  if (!record || ancestor === undefined) return null;
  const node = record.tree[ancestor] as RevisionNode;
  const value = context.read(incoming.id, record, ancestor);
  if (!value) return null;
  const { start, hashes } = pathOf(record.tree, ancestor);
  return documentText({
    id: incoming.id,
    rev: revOf(node),
    deleted: node.deleted,
    value,
    meta: [["_revisions", { start, ids: hashes }]],
  }).toString();
}
