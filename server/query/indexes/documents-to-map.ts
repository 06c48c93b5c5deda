/** Reads the documents that an index has not seen, in batches that bound memory, and maps some batches ahead. */

import { isDesignDocId } from "../../../protocol/ids.js";
import type { Database } from "../../documents/database.js";
import type { RevisionNode } from "../../documents/revisions/tree.js";
import { idOfRow } from "../../documents/sequence-entry.js";
import type { ShownRevision } from "../../documents/show-document.js";
import type { EmittedDocument } from "../views/index-writer.js";
import type { IndexDefinition } from "./index-definition.js";

/** A step of an update: what its documents have in the index now, and how far that brings it. */
export interface MappedBatch {
  readonly documents: readonly EmittedDocument[];
  /** Sequence of the last change of the batch. */
  readonly reached: number;
}

/** Changes read at once, and bytes of the documents among them. */
const batchSize = 500;
const batchBytes = 4 * 1024 * 1024;
/** Sequences that are looked up one by one. */
const few = 32;
/** Batches that are mapped while an earlier one is applied: as many as keep two threads of the sandbox busy. */
const batchesAhead = 3;

/** Changes after `since`, up to `upTo`. @throws CouchError what the mapping throws */
export async function* mappedBatches(
  database: Database,
  definition: IndexDefinition,
  { since, upTo }: { readonly since: number; readonly upTo: number },
): AsyncIterable<MappedBatch> {
  const ahead: Promise<MappedBatch>[] = [];
  for await (const batch of unmappedBatches(database, definition, since, upTo)) {
    const mapped = mapBatch(definition, batch);
    // Whoever awaits it sees the failure; until then it must not end the process.
    mapped.catch(() => undefined);
    ahead.push(mapped);
    if (ahead.length === batchesAhead) yield await (ahead.shift() as Promise<MappedBatch>);
  }
  for (const mapped of ahead) yield await mapped;
}

interface UnmappedBatch {
  readonly shown: readonly ShownRevision[];
  /** Documents that have no rows: deleted, purged, or none of the index's. */
  readonly gone: readonly string[];
  readonly reached: number;
}

async function* unmappedBatches(
  database: Database,
  { includesDesign }: IndexDefinition,
  since: number,
  upTo: number,
): AsyncIterable<UnmappedBatch> {
  let shown: ShownRevision[] = [];
  let gone: string[] = [];
  let bytes = 0;
  for await (const entries of stepsOf(database, since, upTo)) {
    for (const { seq, row, deleted } of entries) {
      const id = idOfRow(row);
      if (isDesignDocId(id) && !includesDesign) continue;
      const revision = deleted ? undefined : winnerOf(database, id);
      if (revision) shown.push(revision);
      else gone.push(id);
      bytes += revision?.value.body.length ?? 0;
      if (bytes < batchBytes) continue;
      yield { shown, gone, reached: seq };
      [shown, gone, bytes] = [[], [], 0];
    }
    const last = entries.at(-1);
    if (last) yield { shown, gone, reached: last.seq };
    [shown, gone, bytes] = [[], [], 0];
  }
}

function stepsOf(database: Database, since: number, upTo: number) {
  if (upTo - since <= few) return [database.fewChanges({ since, upTo })];
  return database.changes({ since, upTo, step: batchSize });
}

/** As it is now, which may be newer than the change that was read: that change will come too, and change nothing. */
function winnerOf(database: Database, id: string): ShownRevision | undefined {
  const document = database.find(id);
  if (!document) return undefined;
  const { tree, winner } = document.record;
  const value = (tree[winner] as RevisionNode).deleted ? undefined : database.value(document, winner);
  return value && { document, index: winner, value };
}

async function mapBatch(definition: IndexDefinition, { shown, gone, reached }: UnmappedBatch): Promise<MappedBatch> {
  const rows = shown.length > 0 ? await definition.map(shown) : [];
  const documents: EmittedDocument[] = shown.map(({ document }, i) => ({ id: document.id, views: rows[i] ?? [] }));
  for (const id of gone) documents.push({ id, views: [] });
  return { documents, reached };
}
