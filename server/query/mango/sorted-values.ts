import { type Collation, compareJson } from "../collation.js";

/** Distinct JSON values in their order: one is found among thousands, such as the ids of an `$in`, in a few comparisons. */
export class SortedValues {
  readonly #values: readonly unknown[];
  readonly #collation: Collation;

  constructor(values: readonly unknown[], collation: Collation) {
    const sorted = values.toSorted((a, b) => compareJson(a, b, collation));
    this.#values = sorted.filter((value, i) => i === 0 || compareJson(sorted[i - 1], value, collation) !== 0);
    this.#collation = collation;
  }

  get length(): number {
    return this.#values.length;
  }

  /** Negative when the value is not among them. */
  indexOf(value: unknown): number {
    let from = 0;
    let to = this.#values.length - 1;
    while (from <= to) {
      const middle = (from + to) >> 1;
      const order = compareJson(value, this.#values[middle], this.#collation);
      if (order === 0) return middle;
      if (order < 0) to = middle - 1;
      else from = middle + 1;
    }
    return -1;
  }
}
