import type { SortedChanges } from "./changes.js";
import { countBefore, countBeforeFrom, type RowOrder } from "./places.js";
import type { Piece, Rows } from "./rows.js";

/** Changes `from` to `to` (exclusive) of a batch, and of the one behind them what it removes, when `tail` is set. */
export interface ChangeRange {
  readonly from: number;
  readonly to: number;
  readonly tail: boolean;
}

/**
 * The rows of a leaf after some changes, as pieces of old and new rows; undefined when nothing changes.
 * Most edits of a document leave its rows in a view as they are: what goes and comes back with the same bytes stays.
 */
export function mergeRows(
  rows: Rows,
  changes: SortedChanges,
  { from, to, tail }: ChangeRange,
  order: RowOrder,
): readonly Piece[] | undefined {
  const pieces: Piece[] = [];
  let copied = 0;
  let searched = 0;
  let isChanged = false;
  for (let i = from; i < to || (tail && i === to); i++) {
    const { parsedKey: key, id, removes, first, count } = changes.at(i);
    const stop = i === to ? first : first + count;
    const search = searched === 0 ? countBefore : countBeforeFrom;
    const end = search(rows, { key, id, after: true }, order, searched);
    const begin = removes ? countBefore(rows, { key, id, after: false }, order, searched, end) : end;
    searched = end;
    if (rows.isSame(begin, end, changes.inserted, first, stop)) continue;
    isChanged = true;
    add(pieces, { rows, from: copied, to: begin });
    add(pieces, { rows: changes.inserted, from: first, to: stop });
    copied = end;
  }
  if (!isChanged) return undefined;
  add(pieces, { rows, from: copied, to: rows.count });
  return pieces;
}

/** Neighbours become one piece, which is copied at once. */
function add(pieces: Piece[], piece: Piece): void {
  if (piece.from === piece.to) return;
  const last = pieces.at(-1);
  if (last?.rows === piece.rows && last.to === piece.from) pieces[pieces.length - 1] = { ...last, to: piece.to };
  else pieces.push(piece);
}
