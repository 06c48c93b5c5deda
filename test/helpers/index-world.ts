/** An index over a store in memory, and what it must look like: a plain sorted list of rows. */
import assert from "node:assert/strict";
import { type Collation, compareJson, compareUtf8 } from "../../server/query/collation.js";
import { parseExact } from "../../server/query/exact-json.js";
import type { EmittedRow } from "../../server/query/views/changes.js";
import type { EmittedDocument } from "../../server/query/views/index-writer.js";
import { NodeCache } from "../../server/query/views/node-cache.js";
import { type IndexedView, type IndexParts, ViewIndex } from "../../server/query/views/view-index.js";
import { GroupCommit } from "../../server/storage/group-commit.js";
import { databaseKeys } from "../../server/storage/keys.js";
import type { Store } from "../../server/storage/store.js";

export const indexKeys = databaseKeys(1).index(1);

export interface IndexOptions {
  readonly views: readonly IndexedView[];
  readonly nodeBytes?: number;
  readonly cache?: NodeCache;
}

/** What a start of the server does: nothing in memory is left from before. */
export function openIndex(store: Store, options: IndexOptions): Promise<ViewIndex> {
  const parts: IndexParts = {
    store,
    commit: new GroupCommit(store),
    keys: indexKeys,
    cache: options.cache ?? new NodeCache(),
    ...options,
  };
  return ViewIndex.open(parts);
}

export interface ModelRow extends EmittedRow {
  readonly id: string;
}

/** The rows of one view, as anyone would keep them who has few. */
export class ModelView {
  readonly collation: Collation;
  rows: readonly ModelRow[] = [];

  constructor(collation: Collation) {
    this.collation = collation;
  }

  apply(documents: readonly { readonly id: string; readonly rows: readonly EmittedRow[] }[]): void {
    for (const { id, rows } of documents) {
      const others = this.rows.filter((row) => row.id !== id);
      this.rows = [...others, ...rows.map((row) => ({ ...row, id }))];
    }
    const compareValues = (a: string, b: string): number => compareJson(parseExact(a), parseExact(b), "raw");
    this.rows = this.rows.toSorted(
      (a, b) => this.compareKeys(a.key, b.key) || compareUtf8(a.id, b.id) || compareValues(a.value, b.value),
    );
  }

  compareKeys(a: string, b: string): number {
    return compareJson(parseExact(a), parseExact(b), this.collation);
  }
}

/** Documents for an index of a single view. */
export function emittedBy(
  documents: readonly { readonly id: string; readonly rows: readonly EmittedRow[] }[],
): readonly EmittedDocument[] {
  return documents.map(({ id, rows }) => ({ id, views: [rows] }));
}

/** Rows as they are sent. */
export function sent(rows: readonly ModelRow[]): readonly string[] {
  return rows.map(({ id, key, value }) => `"id":${JSON.stringify(id)},"key":${key},"value":${value}`);
}

/** All rows of an answer. */
export async function gathered<T>(batches: AsyncIterable<readonly T[]>): Promise<readonly T[]> {
  const all: T[] = [];
  for await (const batch of batches) all.push(...batch);
  return all;
}

export function assertSent(actual: Iterable<readonly { readonly json: Buffer }[]>, rows: readonly ModelRow[]): void {
  const texts = [...actual].flat().map(({ json }) => json.toString());
  assert.deepEqual(texts, sent(rows));
}
