/**
 * `_approx_count_distinct`: how many different keys there are, by HyperLogLog with CouchDB's precision of 11 (2,048 registers, some
 * 2 % off). Each key is hashed; a register remembers the longest run of zeroes among the hashes that fell to it.
 *
 * Kept as text: `d` and a character for each register, or `s` and three characters for each register that is not zero, whichever
 * is shorter: most leaves have few keys.
 */
import type { Reducer, Reduction } from "./reducer.js";

const precision = 11;
const registers = 1 << precision;
/** Zeroes that a run can have at most: bits of the hash that do not choose the register. */
const longestRun = 64 - precision;
/** Characters from here on are plain ones up to 63 behind it. */
const firstCharacter = 48;

export const distinctReducer: Reducer = {
  reduce: (groups) =>
    groups.map((rows) => {
      const state = new Uint8Array(registers);
      for (const { key } of rows) note(state, key);
      return encode(state);
    }),
  rereduce: (groups) =>
    groups.map((reductions) => {
      if (reductions.length === 1) return reductions[0] as Reduction;
      const state = new Uint8Array(registers);
      for (const reduction of reductions) join(state, reduction);
      return encode(state);
    }),
  finish: (reduction) => {
    const state = new Uint8Array(registers);
    join(state, reduction);
    return String(Math.round(estimate(state)));
  },
};

function note(state: Uint8Array, key: string): void {
  const [high, low] = hash(key);
  const register = high >>> (32 - precision);
  const rest = (high << precision) >>> 0;
  const run = rest === 0 ? Math.min(longestRun, 32 - precision + Math.clz32(low)) : Math.clz32(rest);
  state[register] = Math.max(state[register] as number, run + 1);
}

/** 64 bits over the characters of a text: two multiplicative hashes that are mixed with each other, then as MurmurHash3 ends. */
function hash(text: string): readonly [number, number] {
  let high = 0xdeadbeef;
  let low = 0x41c6ce57;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    high = Math.imul(high ^ code, 0x9e3779b1);
    low = Math.imul(low ^ code, 0x5f356495);
    high = (high << 13) | (high >>> 19);
    low = (low << 17) | (low >>> 15);
  }
  return [mix(high ^ Math.imul(low, 0x85ebca6b)), mix(low ^ Math.imul(high, 0xc2b2ae35))];
}

function mix(value: number): number {
  let mixed = value;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

function join(state: Uint8Array, reduction: Reduction): void {
  const isDense = reduction.startsWith("d");
  const at = (i: number): number => reduction.charCodeAt(i) - firstCharacter;
  const count = isDense ? registers : (reduction.length - 1) / 3;
  for (let i = 0; i < count; i++) {
    const register = isDense ? i : at(1 + i * 3) * 64 + at(2 + i * 3);
    state[register] = Math.max(state[register] as number, at(isDense ? 1 + i : 3 + i * 3));
  }
}

function encode(state: Uint8Array): Reduction {
  const used: number[] = [];
  for (let i = 0; i < registers; i++) if (state[i] !== 0) used.push(i);
  if (used.length * 3 >= registers) return `d${characters(state)}`;
  return `s${characters(used.flatMap((i) => [i >>> 6, i & 63, state[i] as number]))}`;
}

function characters(values: ArrayLike<number>): string {
  return Buffer.from(Array.from(values, (value) => firstCharacter + value)).toString("latin1");
}

/** Ertl's estimator ("New cardinality estimation algorithms for HyperLogLog sketches", 2017): good from one key on, without tables. */
function estimate(state: Uint8Array): number {
  const histogram = new Array<number>(longestRun + 2).fill(0);
  for (const run of state) histogram[run] = (histogram[run] as number) + 1;
  let z = registers * tau(1 - (histogram[longestRun + 1] as number) / registers);
  for (let run = longestRun; run >= 1; run--) z = 0.5 * (z + (histogram[run] as number));
  z += registers * sigma((histogram[0] as number) / registers);
  return registers ** 2 / (2 * Math.LN2 * z);
}

function sigma(share: number): number {
  if (share === 1) return Number.POSITIVE_INFINITY;
  let [x, y, z, before] = [share, 1, share, Number.NaN];
  while (z !== before) {
    x *= x;
    before = z;
    z += x * y;
    y += y;
  }
  return z;
}

function tau(share: number): number {
  if (share === 0 || share === 1) return 0;
  let [x, y, z, before] = [share, 1, 1 - share, Number.NaN];
  while (z !== before) {
    x = Math.sqrt(x);
    before = z;
    y *= 0.5;
    z -= (1 - x) ** 2 * y;
  }
  return z / 3;
}
