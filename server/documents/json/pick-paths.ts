/** Reads chosen members out of canonical text, however deep they stand, in one pass and without parsing the rest. */
import { stringEnd, valueEnd } from "./pick-member.js";

/** Which members are wanted: paths as a tree. */
export interface WantedPaths {
  /** Where the values go, of a path that ends here. */
  index: number | undefined;
  readonly below: Map<string, WantedPaths>;
}

const closingBracket = 0x5d;
const openingBracket = 0x5b;
const openingBrace = 0x7b;
const closingBrace = 0x7d;

/** Paths of member names and, in arrays, indexes. A value is found at the position of its path, of equal ones at the first's. */
export function wantedPaths(paths: readonly (readonly string[])[]): WantedPaths {
  const root: WantedPaths = { index: undefined, below: new Map() };
  paths.forEach((path, index) => {
    let node = root;
    for (const name of path) {
      const next = node.below.get(name) ?? { index: undefined, below: new Map() };
      node.below.set(name, next);
      node = next;
    }
    node.index ??= index;
  });
  return root;
}

/** The texts of the values at the wanted paths; holes where there is none. `text` is a canonical JSON object. */
export function pickPaths(text: Buffer, wanted: WantedPaths): (Buffer | undefined)[] {
  const found: (Buffer | undefined)[] = [];
  readMembers(text, 0, wanted, found);
  return found;
}

/** Reads the object or array at `from`, and gives the index behind it. Recurses no deeper than the paths. */
function readMembers(text: Buffer, from: number, wanted: WantedPaths, found: (Buffer | undefined)[]): number {
  const isArray = text[from] === openingBracket;
  const closing = isArray ? closingBracket : closingBrace;
  let i = from + 1;
  for (let element = 0; text[i] !== closing; element++) {
    // A comma, before all but the first.
    if (element > 0) i++;
    let name = String(element);
    if (!isArray) {
      const end = stringEnd(text, i);
      name = nameAt(text, i, end);
      i = end + 1;
    }
    i = readValue(text, i, wanted.below.get(name), found);
  }
  return i + 1;
}

function readValue(text: Buffer, from: number, wanted: WantedPaths | undefined, found: (Buffer | undefined)[]): number {
  const isContainer = text[from] === openingBrace || text[from] === openingBracket;
  const end =
    wanted && wanted.below.size > 0 && isContainer ? readMembers(text, from, wanted, found) : valueEnd(text, from);
  if (wanted?.index !== undefined) found[wanted.index] = text.subarray(from, end);
  return end;
}

/** A name without its quotes. */
function nameAt(text: Buffer, from: number, to: number): string {
  const name = text.toString("utf8", from + 1, to - 1);
  return name.includes("\\") ? JSON.parse(`"${name}"`) : name;
}
