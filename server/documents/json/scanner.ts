/**
 * Reads JSON bytes in one pass: checks the grammar strictly and writes the canonical form on the way. Nothing is made
 * into JavaScript values, because those forget what CouchDB keeps: integers of any size, `1.0`, the order of members.
 * There is no recursion: a text may be nested as deep as `maxDepth`.
 */
import { isUtf8 } from "node:buffer";
import { CouchError } from "../../../protocol/errors.js";
import { CanonicalWriter } from "./canonical-writer.js";
import { MemberNames } from "./member-names.js";
import { canonicalDouble } from "./number-text.js";

/** Bounds the stack that the scanner keeps on the heap: some 20 MB at this depth. CouchDB has no bound but memory. */
export const maxDepth = 1_000_000;

const space = 0x20;
const quote = 0x22;
const comma = 0x2c;
const minus = 0x2d;
const point = 0x2e;
const zero = 0x30;
const nine = 0x39;
const colon = 0x3a;
const openBracket = 0x5b;
const backslash = 0x5c;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;

/** 1 for the bytes that stand for themselves inside a string. */
const plain = new Uint8Array(256).fill(1, space);
plain[quote] = 0;
plain[backslash] = 0;

const slash = Buffer.from("/");
const integerZero = Buffer.from("0");
/** Canonical spelling of each character that cannot stand for itself. */
const escaped = new Map<number, Buffer>();
for (let code = 0; code < space; code++) {
  escaped.set(code, Buffer.from(`\\u00${code.toString(16).toUpperCase().padStart(2, "0")}`));
}
for (const [letter, code] of Object.entries({ b: 8, t: 9, n: 10, f: 12, r: 13, '"': quote, "\\": backslash })) {
  escaped.set(code, Buffer.from(`\\${letter}`));
}
const literals = new Map(["true", "false", "null"].map((word) => [word.charCodeAt(0), Buffer.from(word)]));

export class JsonScanner {
  readonly text: Buffer;
  readonly writer: CanonicalWriter;
  readonly names: MemberNames;
  private readonly deepest: number;

  /** `deepest`: levels that it may be nested. @throws CouchError bad_request when the text is not UTF-8 */
  constructor(text: Buffer, deepest = maxDepth) {
    this.text = text;
    this.deepest = deepest;
    this.writer = new CanonicalWriter(text);
    this.names = new MemberNames(text, this.writer);
    // Asked once for the whole text, which leaves only ASCII to look at.
    if (!isUtf8(text)) this.fail();
  }

  fail(): never {
    throw new CouchError("bad_request", "invalid UTF-8 JSON");
  }

  /** Reads the value at `index`, spaces before it included. @returns the index behind it */
  value(index: number): number {
    const { text, names } = this;
    const floor = names.depth;
    let i = index;
    for (;;) {
      let c = text[i] as number;
      if (c <= space) {
        i = this.spaces(i);
        c = text[i] as number;
      }
      if (c === quote) {
        i = this.string(i);
      } else if (c === openBrace) {
        c = text[++i] as number;
        if (c <= space) {
          i = this.spaces(i);
          c = text[i] as number;
        }
        if (c === closeBrace) {
          i++;
        } else {
          this.enter(true);
          i = this.member(i);
          continue;
        }
      } else if (c === openBracket) {
        c = text[++i] as number;
        if (c <= space) {
          i = this.spaces(i);
          c = text[i] as number;
        }
        if (c === closeBracket) {
          i++;
        } else {
          this.enter(false);
          continue;
        }
      } else if (c === minus || (c >= zero && c <= nine)) {
        i = this.number(i);
      } else {
        i = this.literal(i);
      }
      // The value ended at i: go on in its container, or end that one too.
      for (;;) {
        if (names.depth === floor) return i;
        c = text[i] as number;
        if (c <= space) {
          i = this.spaces(i);
          c = text[i] as number;
        }
        if (c === comma) {
          i = names.inObject() ? this.member(i + 1) : i + 1;
          break;
        }
        if (c !== (names.inObject() ? closeBrace : closeBracket)) this.fail();
        names.leave();
        i++;
      }
    }
  }

  enter(object: boolean): void {
    if (this.names.depth >= this.deepest) throw new CouchError("bad_request", "JSON is nested too deep");
    this.names.enter(object);
  }

  /** Reads `"name":` in the innermost object, which must be entered. @returns the index behind the colon */
  member(index: number): number {
    const { text } = this;
    let i = index;
    let c = text[i] as number;
    if (c <= space) {
      i = this.spaces(i);
      c = text[i] as number;
    }
    if (c !== quote) this.fail();
    const start = i;
    let hash = 0;
    c = text[++i] as number;
    while (plain[c] === 1) {
      hash = (Math.imul(hash, 31) + c) | 0;
      c = text[++i] as number;
    }
    // Before the name is read to its end: patches inside it would move what stands behind.
    const position = this.writer.positionOf(start);
    if (c === quote) {
      i++;
      this.names.add(start, i, hash, position);
    } else {
      i = this.escapedString(i);
      this.names.addEscaped(start, i, position);
    }
    return this.colon(i);
  }

  /** @returns the index behind the colon */
  colon(index: number): number {
    let i = index;
    if ((this.text[i] as number) <= space) i = this.spaces(i);
    if (this.text[i] !== colon) this.fail();
    return i + 1;
  }

  /** Drops the whitespace at `index`, if any. @returns the index behind it */
  spaces(index: number): number {
    const { text } = this;
    let i = index;
    for (let c = text[i]; c === 0x20 || c === 0x0a || c === 0x0d || c === 0x09; c = text[i]) i++;
    if (i > index) this.writer.drop(index, i);
    return i;
  }

  /** Reads the string whose quote stands at `index`. @returns the index behind it */
  string(index: number): number {
    const { text } = this;
    let i = index + 1;
    while (plain[text[i] as number] === 1) i++;
    return text[i] === quote ? i + 1 : this.escapedString(i);
  }

  /** Goes on in a string at the first byte that does not stand for itself. */
  private escapedString(index: number): number {
    const { text } = this;
    let i = index;
    for (;;) {
      while (plain[text[i] as number] === 1) i++;
      if (text[i] === quote) return i + 1;
      if (text[i] !== backslash) this.fail();
      i = this.escape(i);
    }
  }

  /** @returns the index behind the escape whose backslash stands at `index` */
  private escape(index: number): number {
    const { text, writer } = this;
    switch (text[index + 1]) {
      case 0x22: // "
      case 0x5c: // \
      case 0x62: // b
      case 0x66: // f
      case 0x6e: // n
      case 0x72: // r
      case 0x74: // t
        return index + 2;
      case 0x2f: // /
        writer.patch(index, index + 2, slash);
        return index + 2;
      case 0x75: // u
        break;
      default:
        this.fail();
    }
    let end = index + 6;
    let code = this.codeUnit(index);
    if (code >= 0xd800 && code <= 0xdfff) {
      // Half a pair has no UTF-8 form: it could never be sent back.
      if (code > 0xdbff || text[end] !== backslash || text[end + 1] !== 0x75) this.fail();
      const low = this.codeUnit(end);
      if (low < 0xdc00 || low > 0xdfff) this.fail();
      code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
      end += 6;
    }
    const spelling = escaped.get(code) ?? Buffer.from(String.fromCodePoint(code));
    if (spelling.compare(text, index, end) !== 0) writer.patch(index, end, spelling);
    return end;
  }

  /** The four hex digits behind the `\u` at `index`. */
  private codeUnit(index: number): number {
    let code = 0;
    for (let i = index + 2; i < index + 6; i++) {
      const c = this.text[i] as number;
      const lower = c | 0x20;
      if (c >= zero && c <= nine) code = code * 16 + c - zero;
      else if (lower >= 0x61 && lower <= 0x66) code = code * 16 + lower - 0x57;
      else this.fail();
    }
    return code;
  }

  /** Reads the number at `index`. @returns the index behind it */
  private number(index: number): number {
    const { text } = this;
    const first = text[index] === minus ? index + 1 : index;
    let i = this.digits(first);
    if (text[first] === zero && i > first + 1) this.fail();
    let c = text[i];
    if (c !== point && c !== 0x65 && c !== 0x45) {
      if (text[first] === zero && first > index) this.writer.patch(index, i, integerZero);
      return i;
    }
    let exponent = false;
    if (c === point) {
      i = this.digits(i + 1);
      c = text[i];
    }
    if (c === 0x65 || c === 0x45) {
      exponent = true;
      i++;
      if (text[i] === 0x2b || text[i] === minus) i++;
      i = this.digits(i);
    }
    if (exponent || !this.isShortest(first, i)) this.respell(index, i);
    return i;
  }

  /** At least one digit. @returns the index behind the last */
  private digits(index: number): number {
    const { text } = this;
    let i = index;
    for (let c = text[i] as number; c >= zero && c <= nine; c = text[i] as number) i++;
    if (i === index) this.fail();
    return i;
  }

  /** True when `I.F` is surely canonical: up to 15 digits survive a double, and neither end has a zero too many. */
  private isShortest(first: number, end: number): boolean {
    const { text } = this;
    if (end - first > 16 || text[first] === zero) return false;
    return text[end - 1] !== zero || text[end - 2] === point;
  }

  private respell(start: number, end: number): void {
    const spelling = this.text.toString("latin1", start, end);
    const canonical = canonicalDouble(spelling);
    if (canonical === undefined) this.fail();
    if (canonical !== spelling) this.writer.patch(start, end, Buffer.from(canonical));
  }

  private literal(index: number): number {
    const { text } = this;
    const word = literals.get(text[index] as number);
    if (word === undefined) this.fail();
    for (let k = 1; k < word.length; k++) if (text[index + k] !== word[k]) this.fail();
    return index + word.length;
  }
}
