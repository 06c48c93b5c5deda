/**
 * Collects the canonical form of a JSON text while it is scanned: runs of the scanned bytes as they are, patches where
 * their spelling changes, and ranges to leave out in the end (members that a later one of the same name replaces).
 * Nothing is copied before the first patch, so that text which is canonical already costs no copy.
 */
export class CanonicalWriter {
  private readonly text: Buffer;
  private out: Buffer = Buffer.alloc(0);
  private length = 0;
  /** Where in the text the pending run begins. */
  private from = 0;
  /** Pairs of positions in the output. A later pair may enclose earlier ones. */
  private omitted: number[] = [];

  constructor(text: Buffer) {
    this.text = text;
  }

  /** Forgets everything written and begins a run at `from`. */
  restart(from: number): void {
    this.length = 0;
    this.from = from;
    if (this.omitted.length > 0) this.omitted = [];
  }

  /** Where in the output the byte at `index` of the text will stand, `index` being in the pending run. */
  positionOf(index: number): number {
    return this.length + index - this.from;
  }

  /** The text's bytes [start, end) are replaced by `bytes`; the pending run goes on at `end`. */
  patch(start: number, end: number, bytes: Uint8Array): void {
    this.copyUntil(start);
    this.reserve(bytes.length);
    for (let i = 0; i < bytes.length; i++) this.out[this.length++] = bytes[i] as number;
    this.from = end;
  }

  /** Whitespace: the most frequent patch by far. */
  drop(start: number, end: number): void {
    this.copyUntil(start);
    this.from = end;
  }

  /** Ends the pending run before `end`; the next one begins there unless `resume` or `skipTo` says otherwise. */
  copyUntil(end: number): void {
    const { from, text } = this;
    const count = end - from;
    this.reserve(count);
    // A native copy costs more than it saves for the short runs between the spaces of indented text.
    if (count < 24) for (let i = from, to = this.length; i < end; i++, to++) this.out[to] = text[i] as number;
    else text.copy(this.out, this.length, from, end);
    this.length += count;
    this.from = end;
  }

  /** Begins a run at `from`, `byte` standing before it. */
  resume(from: number, byte: number): void {
    this.reserve(1);
    this.out[this.length++] = byte;
    this.from = from;
  }

  skipTo(from: number): void {
    this.from = from;
  }

  /** What `rewind` needs to forget everything that follows. */
  mark(): { readonly length: number; readonly omitted: number } {
    return { length: this.length, omitted: this.omitted.length };
  }

  /** Back to the mark; the next run begins at `from`. */
  rewind(mark: { readonly length: number; readonly omitted: number }, from: number): void {
    this.length = mark.length;
    this.omitted.length = mark.omitted;
    this.from = from;
  }

  /** Leaves out [start, end), positions of the output. */
  omit(start: number, end: number): void {
    this.omitted.push(start, end);
  }

  /** The canonical text, of which the last run ends at `end`: the text itself where nothing had to change. */
  finish(end: number): Buffer {
    const untouched = this.length === 0 && this.from === 0 && end === this.text.length && this.omitted.length === 0;
    if (untouched) return this.text;
    this.copyUntil(end);
    if (this.omitted.length > 0) this.closeGaps();
    return Buffer.from(this.out.subarray(0, this.length));
  }

  private closeGaps(): void {
    const pairs: [number, number][] = [];
    for (let i = 0; i < this.omitted.length; i += 2) {
      pairs.push([this.omitted[i] as number, this.omitted[i + 1] as number]);
    }
    pairs.sort((a, b) => a[0] - b[0] || b[1] - a[1]);
    let to = 0;
    let from = 0;
    for (const [start, end] of pairs) {
      if (start > from) {
        this.out.copyWithin(to, from, start);
        to += start - from;
      }
      from = Math.max(from, end);
    }
    this.out.copyWithin(to, from, this.length);
    this.length = to + this.length - from;
  }

  private reserve(count: number): void {
    const needed = this.length + count;
    if (needed <= this.out.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, this.out.length * 2, 512));
    this.out.copy(larger, 0, 0, this.length);
    this.out = larger;
  }
}
