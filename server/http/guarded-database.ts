/**
 * Databases of `_replicator` documents for those who may read them and are no server administrators: of others' documents they see no
 * credentials. Whatever a route reads of a document it reads through `Database.value`, and so the guard stands there; routes whose
 * answers do not (indexes were made of the documents as they are) are closed.
 */
import { CouchError } from "../../protocol/errors.js";
import { isDesignDocId } from "../../protocol/ids.js";
import { type Identity, isServerAdmin } from "../../protocol/security.js";
import type { Database, StoredDocument } from "../documents/database.js";
import type { RevisionValue } from "../documents/document-record.js";
import { canonicalJson } from "../documents/json/json-text.js";
import { seesCredentials, withoutSecrets } from "../replicator/scheduler/replication-document.js";

/** A list of what is open: a route that is new is closed until somebody has thought about it. */
const openRoutes = new Set([
  "/:db",
  "/:db/_security",
  "/:db/_revs_limit",
  "/:db/_ensure_full_commit",
  "/:db/_bulk_docs",
  "/:db/_bulk_get",
  "/:db/_revs_diff",
  "/:db/_missing_revs",
  "/:db/_changes",
  "/:db/_all_docs",
  "/:db/_all_docs/queries",
  "/:db/_design_docs",
  "/:db/_design_docs/queries",
  "/:db/_local_docs",
  "/:db/_local_docs/queries",
  "/:db/:docid",
  "/:db/_design/:ddoc",
  "/:db/_local/:local",
  "/:db/:docid/*",
]);

/** The database as this caller may read it on this route. @throws CouchError forbidden */
export function guarded(database: Database, identity: Identity, route: string): Database {
  if (database.kind !== "replicator" || isServerAdmin(identity)) return database;
  if (!openRoutes.has(route)) {
    throw new CouchError("forbidden", "Only server administrators may query databases of replications.");
  }
  const value = (document: StoredDocument, index: number): RevisionValue | undefined => {
    const found = database.value(document, index);
    return found && !isDesignDocId(document.id) ? shownTo(identity, found) : found;
  };
  // All else is the database's own, and bound to it: its private members know no other object.
  return new Proxy(database, {
    get(target, name) {
      if (name === "value") return value;
      const member: unknown = Reflect.get(target, name, target);
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
}

function shownTo(identity: Identity, value: RevisionValue): RevisionValue {
  const members = JSON.parse(value.body.toString()) as Readonly<Record<string, unknown>>;
  if (seesCredentials(identity, members)) return value;
  return { ...value, body: canonicalJson(Buffer.from(JSON.stringify(withoutSecrets(members)))) };
}
