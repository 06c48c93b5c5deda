/** Reading what of an index, or of all documents, a query may be about, in its order. */
import { CouchError } from "../../../protocol/errors.js";
import type { Database, StoredDocument } from "../../documents/database.js";
import { idsOfPartition } from "../../documents/partitions.js";
import type { RevisionNode } from "../../documents/revisions/tree.js";
import { compareUtf8 } from "../collation.js";
import { parseExact } from "../exact-json.js";
import { type IndexTree, rankOf, rowsBetween, totalRows } from "../views/index-tree.js";
import type { HeldVersion } from "../views/view-index.js";
import type { ViewRow } from "../views/view-row.js";
import type { Bookmark } from "./bookmark.js";
import type { FindRequest } from "./find-request.js";
import { searchedIds, searchedKeys } from "./index-ranges.js";
import type { JsonIndex } from "./mango-index.js";

/** One version of an index, in the hands of one query. */
export interface HeldIndex {
  readonly index: JsonIndex;
  readonly version: HeldVersion;
}

type Scan = Pick<FindRequest, "selector" | "sort" | "partition" | "limit" | "skip">;

/** The rows behind `start`, a leaf at a time. @throws CouchError invalid_bookmark */
export function indexRows(
  { index, version }: HeldIndex,
  { selector, sort, partition }: Scan,
  start: Bookmark | undefined,
): Iterable<readonly ViewRow[]> {
  const tree = version.trees[index.tree] as IndexTree;
  const bounds = searchedKeys(index, selector);
  if (bounds === "empty") return [];
  const descending = isDescending(sort);
  const { low, high } = bounds;
  let from = partition === undefined && low.length === 0 ? 0 : rankOf(tree, cut(low, false, partition));
  let to = partition === undefined && high.length === 0 ? totalRows(tree) : rankOf(tree, cut(high, true, partition));
  if (start) {
    const key = keyOf(start);
    // Behind its row, in the direction of reading.
    const rank = rankOf(tree, { key, id: start.id, after: !descending, partition });
    if (descending) to = Math.min(to, rank);
    else from = Math.max(from, rank);
  }
  return rowsBetween(tree, from, to, descending);
}

/** Before, or behind, all rows that begin with these values. */
function cut(values: readonly unknown[], after: boolean, partition: string | undefined): Parameters<typeof rankOf>[1] {
  if (values.length === 0) return { key: undefined, id: undefined, after, partition };
  return { key: values, id: undefined, after, level: values.length, partition };
}

/** @throws CouchError invalid_bookmark for one of another kind of index */
function keyOf({ key }: Bookmark): unknown {
  const parsed = key === undefined ? undefined : parseExact(key);
  if (Array.isArray(parsed)) return parsed;
  throw new CouchError("invalid_bookmark", "The bookmark is not one of this index.");
}

/** Documents of a step; the first has no more than are likely to be wanted. */
const longestStep = 500;

/** The documents behind `start` by id, design documents too, in steps. */
export async function* storedDocuments(
  database: Database,
  { selector, sort, partition, limit, skip }: Scan,
  start: Bookmark | undefined,
): AsyncIterable<readonly StoredDocument[]> {
  const bounds = searchedIds(selector);
  if (bounds === "empty") return;
  const descending = isDescending(sort);
  const within = partition === undefined ? undefined : idsOfPartition(partition);
  let from = later(bounds.from, within?.from);
  let to = earlier(bounds.to === undefined ? undefined : behind(bounds.to), within?.to);
  if (start && descending) to = earlier(to, start.id);
  else if (start) from = later(from, behind(start.id));
  for (let step = Math.min(limit + skip + 1, longestStep); ; step = longestStep) {
    let last: StoredDocument | undefined;
    for await (const documents of database.documents({ from, to, descending, step })) {
      last = documents.length < step || step === longestStep ? undefined : documents.at(-1);
      yield documents.filter(({ record }) => !(record.tree[record.winner] as RevisionNode).deleted);
      if (last) break;
    }
    if (!last) return;
    if (descending) to = last.id;
    else from = behind(last.id);
  }
}

function isDescending(sort: FindRequest["sort"]): boolean {
  return sort[0]?.direction === "desc";
}

/** The first id after another. */
function behind(id: string): string {
  return `${id}\0`;
}

function later(one: string | undefined, other: string | undefined): string | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return compareUtf8(one, other) > 0 ? one : other;
}

function earlier(one: string | undefined, other: string | undefined): string | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return compareUtf8(one, other) < 0 ? one : other;
}
