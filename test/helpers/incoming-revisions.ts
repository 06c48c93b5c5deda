/** Revisions on their way in, in one line each, and writing them. */
import { type DocId, parseDocId, parseRevId, type RevId } from "../../protocol/ids.js";
import type { Database, StoredDocument } from "../../server/documents/database.js";
import type { IncomingAttachment, IncomingRevision } from "../../server/documents/incoming-revision.js";
import { findRevision } from "../../server/documents/revisions/tree.js";
import type { Writer } from "../../server/documents/write.js";
import { pathOfLine } from "./revision-trees.js";

interface Content {
  readonly deleted?: boolean;
  readonly body?: unknown;
  readonly attachments?: readonly IncomingAttachment[];
}

interface EditContent extends Content {
  /** The revision that is edited. */
  readonly on?: string | undefined;
}

/** An edit: `edit("a", { on: "1-…", body: { text: "b" } })`. */
export function edit(id: string, { on, ...content }: EditContent = {}): IncomingRevision {
  return { ...common(id, content), origin: { kind: "edit", parent: on === undefined ? undefined : parseRevId(on) } };
}

/** A revision that another server made, with its history, oldest first: `replicated("a", "1-a 2-b")`. */
export function replicated(id: string, line: string, content: Content = {}): IncomingRevision {
  return { ...common(id, content), origin: { kind: "replicated", path: pathOfLine(line) } };
}

function common(
  id: string,
  { deleted = false, body = {}, attachments = [] }: Content,
): Omit<IncomingRevision, "origin"> {
  return { id: parseDocId(id), deleted, body: Buffer.from(JSON.stringify(body)), attachments };
}

/** Writes one revision and gives the revision id. @throws CouchError what refused it */
export async function writeOne(
  database: Database,
  revision: IncomingRevision,
  writer: Writer = "trusted",
): Promise<RevId> {
  const [outcome] = await database.write([revision], writer);
  if (!outcome || outcome.error) throw outcome?.error ?? new Error("no outcome");
  return outcome.rev as RevId;
}

/** @throws Error when there is no such document */
export function mustFind(database: Database, id: string): StoredDocument {
  const document = database.find(id);
  if (!document) throw new Error(`no document ${id}`);
  return document;
}

/** The body of a revision as JSON; undefined when it cannot be read. */
export function bodyOf(database: Database, id: string, rev: string): unknown {
  const document = mustFind(database, id);
  const [generation, hash] = rev.split(/-(.*)/s) as [string, string];
  const index = findRevision(document.record.tree, Number(generation), hash);
  const value = index < 0 ? undefined : database.value(document, index);
  return value && JSON.parse(value.body.toString());
}

/** All changes after a sequence, as `[seq, id, winner]`. */
export async function changesSince(
  database: Database,
  since = 0,
): Promise<readonly (readonly [number, string, string])[]> {
  const rows: (readonly [number, string, string])[] = [];
  for await (const entries of database.changes({ since })) {
    for (const { seq, row } of entries) {
      const { id, changes } = JSON.parse(`{${row.toString()}}`) as { id: DocId; changes: [{ rev: string }] };
      rows.push([seq, id, changes[0].rev]);
    }
  }
  return rows;
}
