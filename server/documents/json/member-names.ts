/**
 * The containers that a scan is inside of, and the names seen so far in each object. A name that comes again takes the
 * earlier member out of the output: in CouchDB the last one wins, and stands in the last one's place.
 */
import type { CanonicalWriter } from "./canonical-writer.js";

/** Up to here a name is compared with all others of its object by hash; beyond, a Map bounds what a stranger can cost. */
const fewMembers = 16;

export class MemberNames {
  depth = 0;
  private readonly text: Buffer;
  private readonly writer: CanonicalWriter;
  /** For each container, where its names begin in the lists below; -1 for an array. */
  private readonly bases: number[] = [];
  /** For the objects with many or escaped names: unescaped name to its latest place in the lists. */
  private readonly lookups: (Map<string, number> | undefined)[] = [];
  private count = 0;
  /** Of each name: its quotes' bytes in the text, a hash of its bytes, and where its member begins in the output. */
  private readonly starts: number[] = [];
  private readonly ends: number[] = [];
  private readonly hashes: number[] = [];
  private readonly positions: number[] = [];

  constructor(text: Buffer, writer: CanonicalWriter) {
    this.text = text;
    this.writer = writer;
  }

  enter(object: boolean): void {
    this.bases[this.depth] = object ? this.count : -1;
    this.lookups[this.depth++] = undefined;
  }

  leave(): void {
    const base = this.bases[--this.depth] as number;
    if (base >= 0) this.count = base;
  }

  inObject(): boolean {
    return (this.bases[this.depth - 1] as number) >= 0;
  }

  /** A name without escapes: bytes [start, end) of the text, quotes included. `position`: of its member in the output. */
  add(start: number, end: number, hash: number, position: number): void {
    const frame = this.depth - 1;
    const base = this.bases[frame] as number;
    const { count } = this;
    const lookup = this.lookups[frame];
    this.push(start, end, hash, position);
    if (lookup !== undefined || count - base >= fewMembers) {
      this.lookUp(frame, base, count);
      return;
    }
    for (let k = count - 1; k >= base; k--) {
      if (this.hashes[k] === hash && this.isSame(k, start, end)) {
        this.omit(k);
        return;
      }
    }
  }

  addEscaped(start: number, end: number, position: number): void {
    const frame = this.depth - 1;
    const index = this.count;
    this.push(start, end, 0, position);
    this.lookUp(frame, this.bases[frame] as number, index);
  }

  private push(start: number, end: number, hash: number, position: number): void {
    const index = this.count++;
    this.starts[index] = start;
    this.ends[index] = end;
    this.hashes[index] = hash;
    this.positions[index] = position;
  }

  private lookUp(frame: number, base: number, index: number): void {
    let lookup = this.lookups[frame];
    if (lookup === undefined) {
      lookup = new Map();
      for (let k = base; k < index; k++) lookup.set(this.nameAt(k), k);
      this.lookups[frame] = lookup;
    }
    const name = this.nameAt(index);
    const earlier = lookup.get(name);
    if (earlier !== undefined) this.omit(earlier);
    lookup.set(name, index);
  }

  /** The member and the comma behind it: up to where the next one of its object begins. */
  private omit(index: number): void {
    this.writer.omit(this.positions[index] as number, this.positions[index + 1] as number);
  }

  private isSame(index: number, start: number, end: number): boolean {
    const { text } = this;
    let other = this.starts[index] as number;
    if ((this.ends[index] as number) - other !== end - start) return false;
    for (let i = start; i < end; i++, other++) if (text[i] !== text[other]) return false;
    return true;
  }

  private nameAt(index: number): string {
    return JSON.parse(this.text.toString("utf8", this.starts[index], this.ends[index])) as string;
  }
}
