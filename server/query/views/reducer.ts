/** What a reduce function is to an index tree, whoever computes it. */
import type { ViewRow } from "./view-row.js";

/**
 * What is kept of some rows, as text that only its reducer understands; or a failure, which begins with an exclamation mark and
 * is kept like any other, so that the rows of a view can be read although its reduce function fails.
 */
export type Reduction = string;

type MaybePromise<T> = T | Promise<T>;

/**
 * Groups come together, so that a sandbox is asked once for many. Rows and reductions of a group come in the order of the view,
 * and no group is empty.
 */
export interface Reducer {
  reduce(groups: readonly (readonly ViewRow[])[]): MaybePromise<readonly Reduction[]>;
  rereduce(groups: readonly (readonly Reduction[])[]): MaybePromise<readonly Reduction[]>;
  /** The value that a client gets, as JSON text; default: the reduction itself. */
  readonly finish?: (reduction: Reduction) => string;
}

/** The outcome of one group: JSON text of the value, or what a client is told instead. */
export type Reduced = { readonly value: string } | ReduceFailure;

export interface ReduceFailure {
  readonly error: string;
  readonly reason: string;
}

/** A reduce function of a design document, which a sandbox runs: rows and values in, a value for each group out. */
export interface ReduceFunction {
  reduce(groups: readonly (readonly ViewRow[])[]): Promise<readonly Reduced[]>;
  rereduce(groups: readonly (readonly string[])[]): Promise<readonly Reduced[]>;
}

/** A group that has failed already is not reduced any further. */
export function reducerOf(source: ReduceFunction): Reducer {
  return {
    reduce: async (groups) => (await source.reduce(groups)).map(reductionOf),
    rereduce: async (groups) => {
      const failed = groups.map(firstFailure);
      const outcomes = await source.rereduce(groups.filter((_, i) => failed[i] === undefined));
      let next = 0;
      return failed.map((failure) => failure ?? reductionOf(outcomes[next++] as Reduced));
    },
  };
}

const failureMark = "!";

export function failedReduction(failure: ReduceFailure): Reduction {
  return failureMark + JSON.stringify([failure.error, failure.reason]);
}

export function isFailure(reduction: Reduction): boolean {
  return reduction.startsWith(failureMark);
}

/** The failure among some reductions that counts for all of them. */
export function firstFailure(reductions: readonly Reduction[]): Reduction | undefined {
  return reductions.find(isFailure);
}

export function finished(reducer: Reducer, reduction: Reduction): Reduced {
  if (isFailure(reduction)) {
    const [error, reason] = JSON.parse(reduction.slice(failureMark.length)) as [string, string];
    return { error, reason };
  }
  return { value: reducer.finish ? reducer.finish(reduction) : reduction };
}

function reductionOf(outcome: Reduced): Reduction {
  return "value" in outcome ? outcome.value : failedReduction(outcome);
}
