/** What a write to a database adds to what its owner keeps. */
import { isServerAdmin } from "../../protocol/security.js";
import type { Database } from "../documents/database.js";
import type { IncomingRevision } from "../documents/incoming-revision.js";
import { isLeaf, type RevisionNode, revOf } from "../documents/revisions/tree.js";
import type { OwnerUse, Release, Sizes } from "../gateway/limits/owner-use.js";
import type { DatabaseCall } from "./call.js";

/** A deletion of so many bytes at most is always written: it is the way back below the quota. */
const smallDeletion = 1024;

/** Who writes where. */
interface Asker extends Pick<DatabaseCall, "database" | "identity"> {
  readonly services: Pick<DatabaseCall["services"], "gateway">;
}

const nothing: Release = () => undefined;

/** Undefined when there is no limit; server administrators have none. */
export function quotaOf({ services, identity, database }: Asker): OwnerUse | undefined | Promise<OwnerUse | undefined> {
  return isServerAdmin(identity) ? undefined : services.gateway.sharing.quotas.of(database.name);
}

/** Before bytes are received that may be too many. @throws CouchError document_too_large, insufficient_storage */
export async function checkRoom(call: Asker, bytes: number): Promise<void> {
  const more = { documents: 0, bytes };
  (await quotaOf(call))?.admit(more, () => more)();
}

/** @throws CouchError document_too_large, insufficient_storage */
export function admitRevision(quota: OwnerUse, database: Database, revision: IncomingRevision): Release {
  const bytes = newBytes(revision);
  if (revision.deleted && bytes <= smallDeletion) return nothing;
  return quota.admit({ documents: revision.deleted ? 0 : 1, bytes }, () => exactly(database, revision, bytes));
}

function newBytes({ body, attachments }: IncomingRevision): number {
  let bytes = body.length;
  for (const attachment of attachments) if (attachment.kind === "new") bytes += attachment.content.length;
  return bytes;
}

/** Less what the revision takes the place of. */
function exactly(database: Database, revision: IncomingRevision, bytes: number): Sizes {
  const document = database.find(revision.id);
  const { tree = [], winner = 0 } = document?.record ?? {};
  const isThere = tree.length > 0 && !(tree[winner] as RevisionNode).deleted;
  const documents = isThere || revision.deleted ? 0 : 1;
  const replaced = document ? tree.findIndex((node, index) => isLeaf(tree, index) && isParent(revision, node)) : -1;
  if (!document || replaced < 0) return { documents, bytes };
  const stubs = new Set(revision.attachments.flatMap(({ kind, name }) => (kind === "stub" ? [name] : [])));
  const kept = (database.value(document, replaced)?.attachments ?? []).filter(({ name }) => stubs.has(name));
  const inherited = kept.reduce((sum, { length }) => sum + length, 0);
  const { size, attached } = tree[replaced] as RevisionNode;
  return { documents, bytes: bytes + inherited - (attached?.external ?? size) };
}

function isParent({ origin }: IncomingRevision, node: RevisionNode): boolean {
  if (origin.kind === "edit") return origin.parent === revOf(node);
  const { start, hashes } = origin.path;
  return hashes[start - node.generation] === node.hash && node.generation < start;
}
