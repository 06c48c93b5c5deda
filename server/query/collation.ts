/**
 * CouchDB's order of JSON values.
 *
 * `icu`, that of views and Mango: null, false, true, numbers, strings by ICU's root collation, arrays element by element, objects
 * member by member in their own order. `raw`, a view's option: numbers, false, null, true, objects, arrays, strings, and these
 * by the bytes of their UTF-8.
 *
 * Values are those of `JSON.parse`. Where that loses something, `exact-json.ts` gives a bigint for an integer that no double holds
 * and a Map for an object whose members `JSON.parse` would move; both are ordered here.
 */
export type Collation = "icu" | "raw";

/** Negative, zero or positive, as `a` comes before, together with or after `b`. Zero does not mean the same text: `1` and `1.0`. */
export function compareJson(a: unknown, b: unknown, collation: Collation = "icu"): number {
  if (typeof a === "string" && typeof b === "string") return collation === "icu" ? compareIcu(a, b) : compareUtf8(a, b);
  const ranks = collation === "icu" ? icuRanks : rawRanks;
  const [kind, other] = [kindOf(a), kindOf(b)];
  if (kind !== other) return ranks[kind] - ranks[other];
  if (kind === "number") return compareNumbers(a as number | bigint, b as number | bigint);
  if (kind === "array") return compareArrays(a as unknown[], b as unknown[], collation);
  if (kind === "object") return compareObjects(a as object, b as object, collation);
  return 0;
}

/**
 * Strings in ICU's root order. English is the root without changes; `und` would not do: it falls back to the language of the
 * machine, and an index that was built in Sweden would be out of order in Denmark.
 */
export const compareIcu: (a: string, b: string) => number = new Intl.Collator("en").compare;

/** What the order of ICU's strings depends on: an index that was built under another version may be out of order now. */
export const collationVersion: string = process.versions["icu"] ?? "none";

/** Strings by the bytes of their UTF-8, which is by code point: document ids, and strings in `raw` order. */
export function compareUtf8(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    // Surrogates stand for code points behind every other code unit.
    const isSurrogate = (x & 0xf800) === 0xd800;
    return isSurrogate === ((y & 0xf800) === 0xd800) ? x - y : isSurrogate ? 1 : -1;
  }
  return a.length - b.length;
}

type Kind = "null" | "false" | "true" | "number" | "string" | "array" | "object";

const icuRanks: Readonly<Record<Kind, number>> = {
  null: 0,
  false: 1,
  true: 2,
  number: 3,
  string: 4,
  array: 5,
  object: 6,
};
/** Erlang's order of terms. */
const rawRanks: Readonly<Record<Kind, number>> = {
  number: 0,
  false: 1,
  null: 2,
  true: 3,
  object: 4,
  array: 5,
  string: 6,
};

function kindOf(value: unknown): Kind {
  switch (typeof value) {
    case "string":
      return "string";
    case "number":
    case "bigint":
      return "number";
    case "boolean":
      return value ? "true" : "false";
    default:
      if (value === null || value === undefined) return "null";
      return Array.isArray(value) ? "array" : "object";
  }
}

/** JavaScript compares a bigint with a double exactly. */
function compareNumbers(a: number | bigint, b: number | bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The same for the beginning of `a`: when it is an array, its first `level` elements. */
export function compareBeginning(a: unknown, level: number, b: unknown, collation: Collation): number {
  if (!Array.isArray(a) || !Array.isArray(b)) return compareJson(a, b, collation);
  return compareArrays(a, b, collation, Math.min(level, a.length));
}

function compareArrays(
  a: readonly unknown[],
  b: readonly unknown[],
  collation: Collation,
  lengthOfA = a.length,
): number {
  const length = Math.min(lengthOfA, b.length);
  for (let i = 0; i < length; i++) {
    const order = compareJson(a[i], b[i], collation);
    if (order !== 0) return order;
  }
  return lengthOfA - b.length;
}

function compareObjects(a: object, b: object, collation: Collation): number {
  const [members, others] = [membersOf(a), membersOf(b)];
  const length = Math.min(members.length, others.length);
  for (let i = 0; i < length; i++) {
    const [name, value] = members[i] as [string, unknown];
    const [otherName, otherValue] = others[i] as [string, unknown];
    const order = compareJson(name, otherName, collation) || compareJson(value, otherValue, collation);
    if (order !== 0) return order;
  }
  return members.length - others.length;
}

function membersOf(value: object): readonly [string, unknown][] {
  return value instanceof Map ? [...(value as Map<string, unknown>)] : Object.entries(value);
}
