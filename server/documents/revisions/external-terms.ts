/**
 * Erlang's external term format, as far as CouchDB hashes it into revision ids: `term_to_binary(Term, [{minor_version, 1}])`.
 * https://www.erlang.org/doc/apps/erts/erl_ext_dist
 */
import { ByteWriter } from "../bytes.js";

const tags = {
  version: 131,
  float: 70,
  smallInteger: 97,
  integer: 98,
  atom: 100,
  smallTuple: 104,
  nil: 106,
  bytes: 107,
  list: 108,
  binary: 109,
  smallBig: 110,
  largeBig: 111,
} as const;

const quote = 0x22;
const comma = 0x2c;
const colon = 0x3a;
const backslash = 0x5c;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;

/** Lists of at most so many bytes are written as bytes. */
const longestBytes = 0xffff;

/** A list or an object that is being written. */
interface Container {
  /** Where its tag stands. */
  readonly at: number;
  readonly object: boolean;
  count: number;
  /** Nothing but integers from 0 to 255 so far. */
  onlyBytes: boolean;
}

export class TermWriter {
  readonly #out: ByteWriter;

  constructor(capacity?: number) {
    this.#out = new ByteWriter(capacity);
  }

  /** Begins a term. */
  begin(): this {
    this.#out.reset().byte(tags.version);
    return this;
  }

  /** The bytes so far: valid until the next `begin`. */
  view(): Buffer {
    return this.#out.view();
  }

  atom(name: string): this {
    this.#out.byte(tags.atom).uint16(name.length).latin1(name);
    return this;
  }

  text(value: string): this {
    this.#out.byte(tags.binary).uint32(Buffer.byteLength(value)).utf8(value);
    return this;
  }

  binary(value: Uint8Array): this {
    this.#out.byte(tags.binary).uint32(value.length).raw(value);
    return this;
  }

  /** The bytes that hexadecimal digits stand for. */
  hex(digits: string): this {
    this.#out
      .byte(tags.binary)
      .uint32(digits.length / 2)
      .hex(digits);
    return this;
  }

  tuple(size: number): this {
    this.#out.byte(tags.smallTuple).byte(size);
    return this;
  }

  /** To be followed by so many elements, then `nil`; empty lists are `nil` alone. */
  list(size: number): this {
    this.#out.byte(tags.list).uint32(size);
    return this;
  }

  nil(): this {
    this.#out.byte(tags.nil);
    return this;
  }

  integer(value: number): this {
    if (value >= 0 && value <= 255) this.#out.byte(tags.smallInteger).byte(value);
    else if (value >= -(2 ** 31) && value < 2 ** 31) this.#out.byte(tags.integer).uint32(value >>> 0);
    else this.#big(BigInt(value));
    return this;
  }

  /** A value as the JSON reader of CouchDB makes it; `text` is canonical JSON. There is no recursion: it may be nested deeply. */
  json(text: Buffer): this {
    const containers: Container[] = [];
    let i = 0;
    while (i < text.length) {
      const innermost = containers.at(-1);
      const c = text[i] as number;
      if (c === comma) {
        i++;
      } else if (c === closeBrace || c === closeBracket) {
        this.#end(containers.pop() as Container);
        i++;
      } else if (innermost?.object) {
        innermost.count++;
        this.tuple(2);
        i = this.#string(text, i);
        if (text[i] === colon) i++;
        i = this.#value(text, i, containers);
      } else {
        if (innermost) innermost.count++;
        i = this.#value(text, i, containers);
      }
    }
    return this;
  }

  /** @returns the index behind the value, or behind the bracket that begins it */
  #value(text: Buffer, index: number, containers: Container[]): number {
    const c = text[index] as number;
    if (c === openBrace || c === openBracket) {
      const container = containers.at(-1);
      if (container) container.onlyBytes = false;
      const object = c === openBrace;
      if (object) this.tuple(1);
      containers.push({ at: this.#out.length, object, count: 0, onlyBytes: !object });
      this.list(0);
      return index + 1;
    }
    const container = containers.at(-1);
    const before = this.#out.length;
    const end = c === quote ? this.#string(text, index) : this.#word(text, index);
    if (container?.onlyBytes) container.onlyBytes = this.#out.at(before) === tags.smallInteger;
    return end;
  }

  #end({ at, count, onlyBytes }: Container): void {
    if (count === 0) {
      this.#out.cut(at).byte(tags.nil);
    } else if (onlyBytes && count <= longestBytes) {
      // Each integer stands as a tag and its byte.
      const values = Buffer.from(this.#out.view().subarray(at + 5)).filter((_, index) => index % 2 === 1);
      this.#out.cut(at).byte(tags.bytes).uint16(count).raw(values);
    } else {
      this.#out.putUint32(at + 1, count).byte(tags.nil);
    }
  }

  /** @returns the index behind the string whose quote stands at `index` */
  #string(text: Buffer, index: number): number {
    let end = index + 1;
    let plain = true;
    for (let c = text[end]; c !== quote && end < text.length; c = text[end]) {
      if (c === backslash) {
        plain = false;
        end++;
      }
      end++;
    }
    if (plain)
      this.#out
        .byte(tags.binary)
        .uint32(end - index - 1)
        .part(text, index + 1, end);
    else this.text(JSON.parse(text.toString("utf8", index, end + 1)) as string);
    return end + 1;
  }

  /** A number, `true`, `false` or `null`. @returns the index behind it */
  #word(text: Buffer, index: number): number {
    let end = index;
    for (let c = text[end]; c !== comma && c !== closeBracket && c !== closeBrace && end < text.length; c = text[end])
      end++;
    const word = text.toString("latin1", index, end);
    if (word === "true" || word === "false" || word === "null") this.atom(word);
    else if (/[.e]/.test(word)) this.#out.byte(tags.float).double(Number(word));
    else if (word.length < 16) this.integer(Number(word));
    else this.#big(BigInt(word));
    return end;
  }

  #big(value: bigint): void {
    const magnitude = value < 0n ? -value : value;
    const hex = magnitude.toString(16);
    const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, "hex").reverse();
    if (bytes.length <= 255) this.#out.byte(tags.smallBig).byte(bytes.length);
    else this.#out.byte(tags.largeBig).uint32(bytes.length);
    this.#out.byte(value < 0n ? 1 : 0).raw(bytes);
  }
}
