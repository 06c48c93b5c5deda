/** Takes documents apart: their underscore members become values, all others stay JSON text. */
import { CouchError } from "../../../protocol/errors.js";
import { stringEnd } from "./pick-member.js";
import { JsonScanner } from "./scanner.js";

/** What a replicator notes in its own documents: as in CouchDB members like any other, in whatever document they stand. */
const ordinary = new Set(
  ["state", "state_time", "state_reason", "id", "stats", "start_time"].map((name) => `_replication_${name}`),
);

/** The members whose names begin with `_`, parsed, whatever they are. No prototype, so every name is just a name. */
export type SpecialMembers = Readonly<Record<string, unknown>>;

export interface ScannedDocument {
  readonly special: SpecialMembers;
  /** The other members as canonical JSON text, braces included: `{}` when there are none. */
  readonly body: Buffer;
}

export interface ScannedBulk {
  readonly documents: readonly ScannedDocument[];
  /** The request's other members, parsed. */
  readonly rest: Readonly<Record<string, unknown>>;
}

const quote = 0x22;
const comma = 0x2c;
const backslash = 0x5c;
const underscore = 0x5f;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;

/**
 * Reads one document.
 * @throws CouchError bad_request
 */
export function scanDocument(text: Buffer): ScannedDocument {
  const scanner = new JsonScanner(text);
  const start = blanks(text, 0);
  if (text[start] !== openBrace) {
    endOfText(scanner, scanner.value(start));
    throw notAnObject();
  }
  const { document, end } = documentAt(scanner, start);
  endOfText(scanner, end);
  return document;
}

/**
 * Reads a request such as `{"docs": [...], "new_edits": false}`; `arrayName` is the member that holds the documents.
 * @throws CouchError bad_request
 */
export function scanBulk(text: Buffer, arrayName: "docs"): ScannedBulk {
  const scanner = new JsonScanner(text);
  const start = blanks(text, 0);
  if (text[start] !== openBrace) {
    endOfText(scanner, scanner.value(start));
    throw new CouchError("bad_request", "Request body must be a JSON object");
  }
  const rest: Record<string, unknown> = Object.create(null);
  let items: readonly (ScannedDocument | undefined)[] | "missing" | "not an array" = "missing";
  let i = blanks(text, start + 1);
  if (text[i] !== closeBrace) {
    for (;;) {
      const name = memberName(scanner, i);
      const valueStart = blanks(text, name.end);
      if (name.value === arrayName && text[valueStart] === openBracket) {
        ({ items, end: i } = itemsAt(scanner, valueStart));
      } else {
        scanner.writer.restart(valueStart);
        i = scanner.value(valueStart);
        if (name.value === arrayName) items = "not an array";
        else rest[name.value] = parsed(text, valueStart, i);
      }
      i = blanks(text, i);
      if (text[i] !== comma) break;
      i = blanks(text, i + 1);
    }
  }
  if (text[i] !== closeBrace) scanner.fail();
  endOfText(scanner, i + 1);
  if (items === "missing") throw new CouchError("bad_request", `POST body must include \`${arrayName}\` parameter.`);
  if (items === "not an array") throw new CouchError("bad_request", `\`${arrayName}\` parameter must be an array.`);
  // Told only now: a mistake in the grammar further on comes first, and a later array of the name replaces this one.
  return { documents: items.map((item) => item ?? refuse()), rest };
}

/** The array's items; undefined for one that is not an object. */
function itemsAt(scanner: JsonScanner, index: number): { items: (ScannedDocument | undefined)[]; end: number } {
  const { text } = scanner;
  const items: (ScannedDocument | undefined)[] = [];
  let i = blanks(text, index + 1);
  if (text[i] === closeBracket) return { items, end: i + 1 };
  for (;;) {
    if (text[i] === openBrace) {
      const { document, end } = documentAt(scanner, i);
      items.push(document);
      i = end;
    } else {
      scanner.writer.restart(i);
      i = scanner.value(i);
      items.push(undefined);
    }
    i = blanks(text, i);
    if (text[i] === closeBracket) return { items, end: i + 1 };
    if (text[i] !== comma) scanner.fail();
    i = blanks(text, i + 1);
  }
}

/** Reads the object whose brace stands at `index`. */
export function documentAt(scanner: JsonScanner, index: number): { document: ScannedDocument; end: number } {
  const { text, writer } = scanner;
  const special: Record<string, unknown> = Object.create(null);
  /** Behind the body member read last, while the run that it ends is not copied yet; else -1. */
  let runEnd = -1;
  let before = openBrace;
  writer.restart(index);
  scanner.enter(true);
  let i = blanks(text, index + 1);
  if (text[i] !== closeBrace) {
    for (;;) {
      const isSpecial = beginsWithUnderscore(text, i) && !isOrdinary(text, i);
      // Members that follow each other without a gap are one run, comma and all.
      if (runEnd >= 0 && (isSpecial || runEnd !== i - 1)) {
        writer.copyUntil(runEnd);
        runEnd = -1;
      }
      if (isSpecial) {
        i = specialMember(scanner, i, special);
      } else {
        if (runEnd < 0) writer.resume(i, before);
        before = comma;
        i = runEnd = scanner.value(scanner.member(i));
      }
      i = blanks(text, i);
      if (text[i] !== comma) break;
      i = blanks(text, i + 1);
    }
  }
  if (text[i] !== closeBrace) scanner.fail();
  scanner.names.leave();
  if (runEnd >= 0) writer.copyUntil(runEnd);
  if (before === openBrace) writer.resume(i, openBrace);
  else writer.skipTo(i);
  return { document: { special, body: writer.finish(i + 1) }, end: i + 1 };
}

/** @returns the index behind the member, of which the writer keeps nothing */
function specialMember(scanner: JsonScanner, index: number, special: Record<string, unknown>): number {
  const { text, writer } = scanner;
  const mark = writer.mark();
  const name = memberName(scanner, index);
  const start = blanks(text, name.end);
  const end = scanner.value(start);
  special[name.value] = parsed(text, start, end);
  writer.rewind(mark, end);
  return end;
}

/** Reads `"name":`. `end` is behind the colon. */
export function memberName(scanner: JsonScanner, index: number): { readonly value: string; readonly end: number } {
  if (scanner.text[index] !== quote) scanner.fail();
  const end = scanner.string(index);
  const value = parsed(scanner.text, index, end) as string;
  return { value, end: scanner.colon(end) };
}

/** Whether the name whose quote stands at `index` begins with an underscore, `\u005f` included. */
function beginsWithUnderscore(text: Buffer, index: number): boolean {
  const first = text[index + 1];
  if (first === underscore) return true;
  return first === backslash && text.toString("latin1", index + 1, index + 7).toLowerCase() === "\\u005f";
}

const mayBeOrdinary = /^_rep|\\/;

/** Whether the name whose quote stands at `index`, and which begins with an underscore, is that of an ordinary member. */
function isOrdinary(text: Buffer, index: number): boolean {
  if (!mayBeOrdinary.test(text.toString("latin1", index + 1, index + 5))) return false;
  try {
    return ordinary.has(String(parsed(text, index, stringEnd(text, index))));
  } catch {
    // Malformed: whoever reads it next says so.
    return false;
  }
}

/** Skips whitespace where the writer has no run. @returns the index behind it */
export function blanks(text: Buffer, index: number): number {
  let i = index;
  for (let c = text[i]; c === 0x20 || c === 0x0a || c === 0x0d || c === 0x09; c = text[i]) i++;
  return i;
}

export function endOfText(scanner: JsonScanner, index: number): void {
  if (blanks(scanner.text, index) !== scanner.text.length) scanner.fail();
}

/** Of text that the scanner has found to be good. */
export function parsed(text: Buffer, start: number, end: number): unknown {
  return JSON.parse(text.toString("utf8", start, end));
}

function notAnObject(): CouchError {
  return new CouchError("bad_request", "Document must be a JSON object");
}

function refuse(): never {
  throw notAnObject();
}
