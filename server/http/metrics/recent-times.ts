/** Times of the last requests. Taking one down costs a store into an array; statistics are worked out when somebody asks. */
export class RecentTimes {
  readonly #times: Float64Array;
  #count = 0;

  /** @param kept requests that are remembered */
  constructor(kept = 1024) {
    this.#times = new Float64Array(kept);
  }

  add(milliseconds: number): void {
    this.#times[this.#count++ % this.#times.length] = milliseconds;
  }

  /** In no order that means anything. */
  values(): Float64Array {
    return this.#times.slice(0, Math.min(this.#count, this.#times.length));
  }
}

/** A histogram as CouchDB's `_stats` shows it. */
export interface TimesSummary {
  readonly n: number;
  readonly min: number;
  readonly max: number;
  readonly arithmetic_mean: number;
  readonly geometric_mean: number;
  readonly harmonic_mean: number;
  readonly median: number;
  readonly variance: number;
  readonly standard_deviation: number;
  readonly skewness: number;
  readonly kurtosis: number;
  /** Percent to value; 999 is the 99.9th, as in CouchDB. */
  readonly percentile: readonly (readonly [number, number])[];
  /** Upper bound to how many are not above it and above the one before. */
  readonly histogram: readonly (readonly [number, number])[];
}

const percentiles = [
  [50, 0.5],
  [75, 0.75],
  [90, 0.9],
  [95, 0.95],
  [99, 0.99],
  [999, 0.999],
] as const;
/** Geometric and harmonic means are of positive numbers. */
const leastTime = 1e-6;

export function summarise(times: Float64Array): TimesSummary {
  const sorted = times.slice().sort();
  const n = sorted.length;
  const at = (share: number): number => sorted[Math.min(n - 1, Math.floor(share * n))] ?? 0;
  const mean = (of: (time: number) => number): number =>
    n === 0 ? 0 : sorted.reduce((sum, time) => sum + of(time), 0) / n;
  const average = mean((time) => time);
  const moment = (power: number): number => mean((time) => (time - average) ** power);
  const variance = moment(2);
  const deviation = Math.sqrt(variance);
  return {
    n,
    min: at(0),
    max: sorted[n - 1] ?? 0,
    arithmetic_mean: average,
    geometric_mean: n === 0 ? 0 : Math.exp(mean((time) => Math.log(Math.max(time, leastTime)))),
    harmonic_mean: n === 0 ? 0 : 1 / mean((time) => 1 / Math.max(time, leastTime)),
    median: at(0.5),
    variance,
    standard_deviation: deviation,
    skewness: deviation === 0 ? 0 : moment(3) / deviation ** 3,
    kurtosis: deviation === 0 ? 0 : moment(4) / variance ** 2 - 3,
    percentile: percentiles.map(([name, share]) => [name, at(share)]),
    histogram: histogramOf(sorted),
  };
}

/** Bounds double: 0.125, 0.25, 0.5 milliseconds and so on. */
function histogramOf(sorted: Float64Array): readonly (readonly [number, number])[] {
  const counts = new Map<number, number>();
  for (const time of sorted) {
    const bound = 2 ** Math.ceil(Math.log2(Math.max(time, 0.125)));
    counts.set(bound, (counts.get(bound) ?? 0) + 1);
  }
  return [...counts];
}
