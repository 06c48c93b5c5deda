/** Ranges of ids, and of the keys that they stand in. */
import type { Key, KeyRange } from "../storage/store.js";

/** Ids in the order of their bytes: `from` inclusive, `to` exclusive. */
export interface IdRange {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly descending?: boolean;
  /** Records read at a time. */
  readonly step?: number;
}

export function keyRange(
  { from, to, descending = false, step }: IdRange,
  all: KeyRange,
  keyOf: (id: string) => Key,
): KeyRange {
  return {
    from: from === undefined ? all.from : keyOf(from),
    to: to === undefined ? all.to : keyOf(to),
    reverse: descending,
    ...(step ? { step } : {}),
  };
}
