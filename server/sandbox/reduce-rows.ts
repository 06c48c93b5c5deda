/** What a reduce function makes of groups of rows, or of earlier reductions. */
import { firstOfTooMany, refusalError } from "./refusal-error.js";
import type { WorkerPool } from "./worker-pool.js";
import type { FunctionSource, Limited, ReduceWork, Refusal } from "./worker-protocol.js";

/** Values to reduce together. */
export interface ReduceGroup {
  /** JSON text of `[[key, docid], ...]`, one for each value; null: the values are reductions, to be reduced again. */
  readonly keys: string | null;
  /** JSON text of an array. */
  readonly values: string;
}

export interface ReduceBatch {
  readonly database: string;
  readonly reduce: FunctionSource;
  readonly groups: readonly ReduceGroup[];
  /** CouchDB's `reduce_limit`: a reduction must be smaller than what it was made of. Default: true. */
  readonly limited?: boolean;
  /** Milliseconds for each group. Default: what the sandbox is set to. */
  readonly timeLimitMs?: number;
}

/** A reduction as JSON text, or what CouchDB shows in its row instead. */
export type Reduction =
  | { readonly value: string; readonly error?: undefined }
  | { readonly value?: undefined; readonly error: string; readonly reason: string };

/** Of the texts of one call. */
const maxCharacters = 1024 * 1024;
/** Shorter reductions may be as long as they like. */
const shortReduction = 4096;

/**
 * One for each group.
 * @throws CouchError compilation_error (500) when the function does not compile; timeout or unknown_error when more than a few groups
 * had to be ended
 */
export async function reduceRows(pool: WorkerPool, batch: Limited<ReduceBatch>): Promise<readonly Reduction[]> {
  const { reduce, groups } = batch;
  const reductions = new Array<Reduction>(groups.length);
  let pieces = piecesOf(groups);
  while (pieces.length > 0) {
    const outcomes = await pool.run<ReduceWork>({
      command: "reduce",
      database: batch.database,
      functions: [reduce],
      timeLimitMs: batch.timeLimitMs,
      calls: pieces.map((piece) => `[${piece.map((index) => textOf(groups[index] as ReduceGroup)).join(",")}]`),
    });
    const endless = firstOfTooMany(outcomes);
    if (endless && pieces.every((piece) => piece.length === 1)) throw refusalError(endless);
    const again: number[][] = [];
    outcomes.forEach((outcome, place) => {
      const piece = pieces[place] as readonly number[];
      if (typeof outcome === "string") readReductions(outcome, piece, batch, reductions);
      else if (outcome.error === "compilation_error") throw refusalError(outcome);
      // Among larger pieces a single one may not have been tried at all.
      else if (piece.length > 1 || endless) again.push(...piece.map((index) => [index]));
      else reductions[piece[0] as number] = failed(outcome);
    });
    pieces = again;
  }
  return reductions;
}

/** Indexes of groups that go together. */
function piecesOf(groups: readonly ReduceGroup[]): readonly (readonly number[])[] {
  const pieces: number[][] = [];
  let room = 0;
  groups.forEach((group, index) => {
    const length = group.values.length + (group.keys?.length ?? 0);
    if (length > room || pieces.length === 0) {
      pieces.push([]);
      room = maxCharacters;
    }
    pieces.at(-1)?.push(index);
    room -= length;
  });
  return pieces;
}

function textOf({ keys, values }: ReduceGroup): string {
  return `[${keys ?? "null"},${values}]`;
}

/** The format stands in `commands/reduce.ts`. */
function readReductions(text: string, piece: readonly number[], batch: ReduceBatch, reductions: Reduction[]): void {
  const lines = text.split("\n");
  piece.forEach((index, place) => {
    const value = lines[2 * place + 1] as string;
    const inputLength = lengthInCouchDb(
      batch.reduce.source,
      batch.groups[index] as ReduceGroup,
      Number(lines[2 * place]),
    );
    const overflow = (batch.limited ?? true) ? overflowOf(inputLength, value.length + "[]".length) : undefined;
    reductions[index] = overflow ?? { value };
  });
}

/** A reduction that grows with its rows would make the index as large as the database on every level of the tree. */
export function overflowOf(inputLength: number, outputLength: number): Reduction | undefined {
  if (outputLength <= shortReduction || outputLength * 2 <= inputLength) return undefined;
  const reason = `Reduce output must shrink more rapidly: input size: ${inputLength} output size: ${outputLength}`;
  return { error: "reduce_overflow_error", reason };
}

/** Of the line that CouchDB sends to its query server, without the function: the limit and its message speak of that. */
function lengthInCouchDb(source: string, { keys, values }: ReduceGroup, count: number): number {
  const quoting = JSON.stringify(source).length - source.length;
  if (keys === null) return '["rereduce",[],]'.length + quoting + values.length;
  // `[[[key, docid], value], ...]` instead of two arrays.
  return '["reduce",[],]'.length + quoting + keys.length + values.length + 2 * count - 1;
}

function failed({ error, reason }: Refusal): Reduction {
  return { error, reason: String(reason) };
}
