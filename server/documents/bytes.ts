/** Reading and writing the compact binary parts of records: variable-length integers (7 bits a byte, low first) and text. */

export class ByteReader {
  readonly bytes: Buffer;
  at: number;

  constructor(bytes: Buffer, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }

  byte(): number {
    return this.bytes[this.at++] as number;
  }

  /** Integers up to 2^53 - 1: beyond 28 bits arithmetic instead of bit operations, which stop at 32. */
  varint(): number {
    let result = 0;
    let factor = 1;
    for (;;) {
      const byte = this.byte();
      result += (byte & 0x7f) * factor;
      if (byte < 0x80) return result;
      factor *= 128;
    }
  }

  text(): string {
    const length = this.varint();
    const text = this.bytes.toString("utf8", this.at, this.at + length);
    this.at += length;
    return text;
  }
}

const nothing = Buffer.alloc(0);
/** Bytes that a writer goes on with at most when its memory was taken: one long document must not make the rest of an answer as large. */
const mostFresh = 128 * 1024;

export class ByteWriter {
  #bytes: Buffer;
  #at = 0;
  /** Bytes of the next memory, at least. */
  #capacity: number;

  constructor(capacity = 1024) {
    this.#capacity = capacity;
    this.#bytes = Buffer.allocUnsafeSlow(capacity);
  }

  get length(): number {
    return this.#at;
  }

  /** Begins anew in the same memory. What `copy` returned stays valid; what `view` returned does not. */
  reset(): this {
    this.#at = 0;
    return this;
  }

  byte(value: number): this {
    this.#reserve(1);
    this.#bytes[this.#at++] = value;
    return this;
  }

  /** The byte written at `index`. */
  at(index: number): number {
    return this.#bytes[index] as number;
  }

  /** Forgets what was written from `length` on. */
  cut(length: number): this {
    this.#at = length;
    return this;
  }

  /** High byte first, as the two below. */
  uint16(value: number): this {
    return this.byte(value >>> 8).byte(value & 0xff);
  }

  uint32(value: number): this {
    return this.uint16(value >>> 16).uint16(value & 0xffff);
  }

  double(value: number): this {
    this.#reserve(8);
    this.#at = this.#bytes.writeDoubleBE(value, this.#at);
    return this;
  }

  /** In the place of what was written at `index`. */
  putUint32(index: number, value: number): this {
    this.#bytes.writeUInt32BE(value, index);
    return this;
  }

  varint(value: number): this {
    this.#reserve(8);
    let rest = value;
    while (rest >= 0x80) {
      this.#bytes[this.#at++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    this.#bytes[this.#at++] = rest;
    return this;
  }

  /** Text behind its length in bytes. */
  text(value: string): this {
    const length = Buffer.byteLength(value);
    return this.varint(length).utf8(value);
  }

  utf8(value: string): this {
    this.#reserve(value.length * 3);
    this.#at += this.#bytes.write(value, this.#at, "utf8");
    return this;
  }

  /** Text of which every character is below U+0100: about twice as fast as `utf8`. */
  latin1(value: string): this {
    this.#reserve(value.length);
    this.#at += this.#bytes.write(value, this.#at, "latin1");
    return this;
  }

  hex(value: string): this {
    this.#reserve(value.length / 2);
    this.#at += this.#bytes.write(value, this.#at, "hex");
    return this;
  }

  raw(value: Uint8Array): this {
    this.#reserve(value.length);
    this.#bytes.set(value, this.#at);
    this.#at += value.length;
    return this;
  }

  /** The bytes of `source` from `start` to `end`: cheaper than a view of them. */
  part(source: Buffer, start: number, end: number): this {
    const length = end - start;
    this.#reserve(length);
    if (length < 24) for (let i = start, to = this.#at; i < end; i++, to++) this.#bytes[to] = source[i] as number;
    else source.copy(this.#bytes, this.#at, start, end);
    this.#at += length;
    return this;
  }

  /** The bytes so far, in the writer's own memory: for when nothing more is written. */
  view(): Buffer {
    return this.#bytes.subarray(0, this.#at);
  }

  /** The bytes so far, in memory of their own. */
  copy(): Buffer {
    const copied = Buffer.allocUnsafe(this.#at);
    this.#bytes.copy(copied, 0, 0, this.#at);
    return copied;
  }

  /** The bytes so far; the writer goes on in fresh memory. */
  take(): Buffer {
    const taken = this.#bytes.subarray(0, this.#at);
    this.#capacity = Math.min(this.#bytes.length, mostFresh);
    this.#bytes = nothing;
    this.#at = 0;
    return taken;
  }

  #reserve(more: number): void {
    if (this.#at + more <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, this.#at + more, this.#capacity));
    this.#bytes.copy(grown, 0, 0, this.#at);
    this.#bytes = grown;
  }
}
