/** Reads the documents that an index has not seen, in batches that bound memory, and maps some batches ahead. */

import { isDesignDocId } from "../../../protocol/ids.js";
import type { Database, StoredDocument } from "../../documents/database.js";
import type { RevisionNode } from "../../documents/revisions/tree.js";
import { idOfRow } from "../../documents/sequence-entry.js";
import type { ShownRevision } from "../../documents/show-document.js";
import { Turn } from "../turn.js";
import type { EmittedDocument } from "../views/index-writer.js";
import type { IndexDefinition } from "./index-definition.js";

/** A step of an update: what its documents have in the index now, and how far that brings it. */
export interface MappedBatch {
  readonly documents: readonly EmittedDocument[];
  /** Sequence of the last change that this and all batches before it bring; undefined when that is in a batch yet to come. */
  readonly reached: number | undefined;
}

/** Changes read at once. */
const changesAtOnce = 500;
/** Documents that are mapped together, and bytes of them: as many as cross into the sandbox in one call. */
const documentsAtOnce = 100;
const bytesAtOnce = 1024 * 1024;
/** Changes that are looked up one by one. */
const few = 32;
/** Batches that are mapped while an earlier one is applied: as many as keep two threads of the sandbox busy. Bytes of them. */
const batchesAhead = 6;
const bytesAhead = 8 * 1024 * 1024;
/** Of a revision in memory, about. */
const bytesOfRevision = 150;

/** Changes behind `since`, all that are there at the moment of the call. @throws CouchError what the mapping throws */
export async function* mappedBatches(
  database: Database,
  definition: IndexDefinition,
  since: number,
): AsyncIterable<MappedBatch> {
  const ahead: { readonly batch: UnmappedBatch; readonly mapped: Promise<Mapped> }[] = [];
  let bytes = 0;
  const turn = new Turn();
  for await (const batch of unmappedBatches(database, definition, since)) {
    ahead.push({ batch, mapped: mapSome(definition, batch.shown) });
    bytes += batch.bytes;
    while (ahead.length >= batchesAhead || (ahead.length > 0 && bytes > bytesAhead)) {
      const first = ahead.shift() as (typeof ahead)[number];
      bytes -= first.batch.bytes;
      yield* finish(definition, first.batch, first.mapped);
    }
    if (turn.isOver) await turn.next();
  }
  for (const { batch, mapped } of ahead) yield* finish(definition, batch, mapped);
}

/** What purges have left of documents, and the number of the last purge that this brings. */
export interface PurgedDocuments {
  readonly documents: readonly EmittedDocument[];
  readonly purgeSeq: number;
}

/**
 * Documents purged since an entry of the log, for an index that has seen all changes up to `reached`. The log must be read after
 * these changes: a purge takes away the change that it purges. Undefined when the log has been cut off behind that entry.
 */
export async function purgedDocuments(
  database: Database,
  definition: IndexDefinition,
  { since, reached }: { readonly since: number; readonly reached: number },
): Promise<PurgedDocuments | undefined> {
  const ids = new Set<string>();
  let purgeSeq = since;
  for await (const entries of database.purges(since)) {
    if (entries[0]?.purgeSeq !== purgeSeq + 1) return undefined;
    for (const { id } of entries) ids.add(id);
    purgeSeq += entries.length;
  }
  const gone: string[] = [];
  const shown: ShownRevision[] = [];
  for (const id of ids) {
    const document = database.find(id);
    // What is left of a document has moved to a new sequence, and comes with the changes; or is too new for them.
    if (document && document.record.seq <= reached) continue;
    const revision = document && isMapped(definition, id) ? winnerOf(database, document) : undefined;
    if (revision) shown.push(revision);
    else gone.push(id);
  }
  const documents: EmittedDocument[] = [];
  for (let rest = shown; rest.length > 0; ) {
    const mapped = await mapSome(definition, rest);
    documents.push(...mapped);
    rest = rest.slice(mapped.length);
  }
  return { documents: [...documents, ...gone.map(withoutRows)], purgeSeq };
}

interface UnmappedBatch {
  readonly shown: readonly ShownRevision[];
  /** Documents that have no rows: deleted, purged, or none of the index's. */
  readonly gone: readonly string[];
  readonly reached: number;
  readonly bytes: number;
}

async function* unmappedBatches(
  database: Database,
  definition: IndexDefinition,
  since: number,
): AsyncIterable<UnmappedBatch> {
  let shown: ShownRevision[] = [];
  let gone: string[] = [];
  let bytes = 0;
  const turn = new Turn();
  for await (const entries of stepsOf(database, since)) {
    for (const [i, { seq, row, deleted }] of entries.entries()) {
      const id = idOfRow(row);
      if (isMapped(definition, id)) {
        const document = deleted ? undefined : database.find(id);
        const revision = document && winnerOf(database, document);
        if (revision) {
          shown.push(revision);
          bytes += revision.value.body.length + revision.document.record.tree.length * bytesOfRevision;
        } else gone.push(id);
      }
      if (shown.length < documentsAtOnce && bytes < bytesAtOnce && i < entries.length - 1) continue;
      yield { shown, gone, reached: seq, bytes };
      [shown, gone, bytes] = [[], [], 0];
      if (turn.isOver) await turn.next();
    }
  }
}

function stepsOf(database: Database, since: number) {
  const changes = database.fewChanges(since, few);
  return changes ? [changes] : database.changes({ since, step: changesAtOnce });
}

function isMapped({ includesDesign }: IndexDefinition, id: string): boolean {
  return includesDesign || !isDesignDocId(id);
}

/** As it is now, which may be newer than the change that was read: that change will come too, and change nothing. */
function winnerOf(database: Database, document: StoredDocument): ShownRevision | undefined {
  const { tree, winner } = document.record;
  const value = (tree[winner] as RevisionNode).deleted ? undefined : database.value(document, winner);
  return value && { document, index: winner, value };
}

/** Rows of the first of the documents that were given. */
type Mapped = readonly EmittedDocument[];

function mapSome(definition: IndexDefinition, shown: readonly ShownRevision[]): Promise<Mapped> {
  const mapped = mapDocuments(definition, shown);
  // Whoever awaits it sees the failure; until then it must not end the process.
  mapped.catch(() => undefined);
  return mapped;
}

async function mapDocuments(definition: IndexDefinition, shown: readonly ShownRevision[]): Promise<Mapped> {
  if (shown.length === 0) return [];
  const rows = await definition.map(shown);
  if (rows.length === 0) throw new Error(`${definition.designDoc} was given documents and mapped none`);
  return rows.map((views, i) => ({ id: (shown[i] as ShownRevision).document.id, views }));
}

/** All documents of a batch, in as many steps as their mapping takes. */
async function* finish(
  definition: IndexDefinition,
  { shown, gone, reached }: UnmappedBatch,
  begun: Promise<Mapped>,
): AsyncIterable<MappedBatch> {
  let documents = await begun;
  for (let done = documents.length; done < shown.length; done += documents.length) {
    yield { documents, reached: undefined };
    documents = await mapSome(definition, shown.slice(done));
  }
  yield { documents: gone.length > 0 ? [...documents, ...gone.map(withoutRows)] : documents, reached };
}

function withoutRows(id: string): EmittedDocument {
  return { id, views: [] };
}
