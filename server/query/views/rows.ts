/**
 * Rows in the order of a view, as bytes: what a leaf of an index tree holds, and what a batch brings.
 *
 *   for each row   varints: bytes of the id, of the key, of the value as JSON; then `"id":"a","key":1,"value":null`
 *
 * That text is spliced into answers as it is, so that a value keeps its spelling (`1.0`, large integers). Keys are parsed
 * when they are compared, and once.
 */
import { ByteReader, ByteWriter } from "../../documents/bytes.js";
import { parseExact } from "../exact-json.js";
import type { Places } from "./places.js";
import { ViewRow } from "./view-row.js";

/** A row on its way in. */
export interface RowText {
  readonly id: string;
  /** Canonical JSON text, like the value. */
  readonly key: string;
  readonly value: string;
  /** The key, parsed. */
  readonly parsedKey: unknown;
}

/** Rows `from` to `to` (exclusive) of others. */
export interface Piece {
  readonly rows: Rows;
  readonly from: number;
  readonly to: number;
}

const beforeId = '"id":'.length;
const beforeKey = ',"key":'.length;
const beforeValue = ',"value":'.length;

const minus = 0x2d;
const zero = 0x30;

/** Numbers kept of each row: where its record, its text, its key and its value begin. */
const marks = 4;

export class Rows implements Places {
  readonly bytes: Buffer;
  readonly count: number;
  /** The marks of each row, and where the last one ends. */
  readonly #at: Uint32Array;
  readonly #keys: unknown[];
  readonly #ids: (string | undefined)[];

  private constructor(bytes: Buffer, at: Uint32Array, keys: unknown[], ids: (string | undefined)[]) {
    this.bytes = bytes;
    this.count = (at.length - 1) / marks;
    this.#at = at;
    this.#keys = keys;
    this.#ids = ids;
  }

  static decode(bytes: Buffer, count: number, from = 0): Rows {
    const at = new Uint32Array(count * marks + 1);
    const reader = new ByteReader(bytes, from);
    for (let i = 0; i < at.length - 1; i += marks) {
      at[i] = reader.at;
      const [id, key, value] = [reader.varint(), reader.varint(), reader.varint()];
      at[i + 1] = reader.at;
      at[i + 2] = reader.at + beforeId + id + beforeKey;
      at[i + 3] = reader.at + beforeId + id + beforeKey + key + beforeValue;
      reader.at += beforeId + id + beforeKey + key + beforeValue + value;
    }
    at[at.length - 1] = reader.at;
    return new Rows(bytes, at, new Array(count), new Array(count));
  }

  /** In the order in which they are given. */
  static encode(texts: readonly RowText[]): Rows {
    const writer = new ByteWriter(64 + texts.length * 128);
    for (const { id, key, value } of texts) {
      const quotedId = JSON.stringify(id);
      writer
        .varint(Buffer.byteLength(quotedId))
        .varint(Buffer.byteLength(key))
        .varint(Buffer.byteLength(value))
        .utf8(`"id":${quotedId},"key":${key},"value":${value}`);
    }
    const rows = Rows.decode(writer.view(), texts.length);
    for (let i = 0; i < texts.length; i++) {
      rows.#keys[i] = (texts[i] as RowText).parsedKey;
      rows.#ids[i] = (texts[i] as RowText).id;
    }
    return rows;
  }

  /** What is parsed already stays so. */
  static concat(pieces: readonly Piece[]): Rows {
    let count = 0;
    let size = 0;
    for (const { rows, from, to } of pieces) {
      count += to - from;
      size += rows.size(from, to);
    }
    const bytes = Buffer.allocUnsafe(size);
    const at = new Uint32Array(count * marks + 1);
    const keys: unknown[] = new Array(count);
    const ids: (string | undefined)[] = new Array(count);
    let next = 0;
    let end = 0;
    for (const { rows, from, to } of pieces) {
      const begin = rows.#mark(from, 0);
      const shift = end - begin;
      let mark = next * marks;
      for (let i = from * marks; i < to * marks; i++) at[mark++] = (rows.#at[i] as number) + shift;
      for (let i = from; i < to; i++) {
        keys[next] = rows.#keys[i];
        ids[next++] = rows.#ids[i];
      }
      end += rows.bytes.copy(bytes, end, begin, rows.#at[to * marks]);
    }
    at[at.length - 1] = end;
    return new Rows(bytes, at, keys, ids);
  }

  key(i: number): unknown {
    let key = this.#keys[i];
    if (key === undefined) key = this.#keys[i] = parseExact(this.keyText(i));
    return key;
  }

  id(i: number): string {
    let id = this.#ids[i];
    if (id === undefined) id = this.#ids[i] = this.#parseId(i);
    return id;
  }

  keyText(i: number): string {
    return this.bytes.toString("utf8", this.#at[i * marks + 2], this.#mark(i, 3) - beforeValue);
  }

  valueText(i: number): string {
    return this.bytes.toString("utf8", this.#at[i * marks + 3], this.#at[i * marks + marks]);
  }

  /** The value, when it is an integer of at most nine digits: read from its bytes, since sums read thousands. */
  smallInteger(i: number): number | undefined {
    const { bytes } = this;
    let at = this.#mark(i, 3);
    const end = this.#mark(i + 1, 0);
    const isNegative = bytes[at] === minus;
    if (isNegative) at++;
    if (end === at || end - at > 9) return undefined;
    let value = 0;
    for (; at < end; at++) {
      const digit = (bytes[at] as number) - zero;
      if (digit < 0 || digit > 9) return undefined;
      value = value * 10 + digit;
    }
    return isNegative ? -value : value;
  }

  /** `"id":"a","key":1,"value":null`, in the memory of these rows. */
  json(i: number): Buffer {
    return this.bytes.subarray(this.#at[i * marks + 1], this.#at[i * marks + marks]);
  }

  /** Bytes that rows `from` to `to` (exclusive) take. */
  size(from: number, to: number): number {
    return this.#mark(to, 0) - this.#mark(from, 0);
  }

  /** The records of rows `from` to `to`, headers included. */
  isSame(from: number, to: number, other: Rows, otherFrom: number, otherTo: number): boolean {
    if (to - from !== otherTo - otherFrom || this.size(from, to) !== other.size(otherFrom, otherTo)) return false;
    const [begin, otherBegin] = [this.#mark(from, 0), other.#mark(otherFrom, 0)];
    return this.bytes.compare(other.bytes, otherBegin, other.#mark(otherTo, 0), begin, this.#mark(to, 0)) === 0;
  }

  slice(from: number, to: number): ViewRow[] {
    const rows: ViewRow[] = [];
    for (let i = from; i < to; i++) rows.push(new ViewRow(this, i));
    return rows;
  }

  #parseId(i: number): string {
    const quoted = this.bytes.toString("utf8", this.#mark(i, 1) + beforeId, this.#mark(i, 2) - beforeKey);
    return parseExact(quoted) as string;
  }

  #mark(i: number, which: 0 | 1 | 2 | 3): number {
    return this.#at[i * marks + which] as number;
  }
}
