import type { Turn } from "../turn.js";

/** Merges runs that are in order each. Of equals those of earlier runs come first. */
export async function mergeInTurns<T>(
  runs: readonly (readonly T[])[],
  compare: (a: T, b: T) => number,
  turn: Turn,
): Promise<readonly T[]> {
  let rest = runs;
  while (rest.length > 1) {
    const merged: (readonly T[])[] = [];
    for (let i = 0; i < rest.length; i += 2) {
      const [left, right] = [rest[i] as readonly T[], rest[i + 1]];
      merged.push(right ? await mergeTwo(left, right, compare, turn) : left);
    }
    rest = merged;
  }
  return rest[0] ?? [];
}

async function mergeTwo<T>(
  left: readonly T[],
  right: readonly T[],
  compare: (a: T, b: T) => number,
  turn: Turn,
): Promise<readonly T[]> {
  const merged: T[] = [];
  let [i, j] = [0, 0];
  while (i < left.length && j < right.length) {
    // Asked each time: a single comparison of two long keys may take milliseconds.
    if (turn.isOver) await turn.next();
    merged.push(compare(left[i] as T, right[j] as T) <= 0 ? (left[i++] as T) : (right[j++] as T));
  }
  while (i < left.length) merged.push(left[i++] as T);
  while (j < right.length) merged.push(right[j++] as T);
  return merged;
}
