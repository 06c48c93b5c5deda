/** Which rows of a view are asked for, and how they are put together. Keys are canonical JSON text. */
export interface ViewQuery {
  readonly startKey?: string | undefined;
  /** Counts together with `startKey` only; likewise `endKeyDocId`. */
  readonly startKeyDocId?: string | undefined;
  readonly endKey?: string | undefined;
  readonly endKeyDocId?: string | undefined;
  /** Default true. */
  readonly inclusiveEnd?: boolean | undefined;
  /** The same as this `startKey` and this `endKey`, which win where they are given too. */
  readonly key?: string | undefined;
  /** Rows of each of these, in their order; the range is left out of account. */
  readonly keys?: readonly string[] | undefined;
  /** The range then begins at its high end. */
  readonly descending?: boolean | undefined;
  readonly skip?: number | undefined;
  /** Default: no limit. */
  readonly limit?: number | undefined;
  /** Default: true where the view has a reduce function. */
  readonly reduce?: boolean | undefined;
  /** Of a view by partition: the rows of this one. */
  readonly partition?: string | undefined;
  /** A row for each key. */
  readonly group?: boolean | undefined;
  /** A row for each beginning of so many elements of array keys; other keys stand for themselves. 0: one row for all. */
  readonly groupLevel?: number | undefined;
}
