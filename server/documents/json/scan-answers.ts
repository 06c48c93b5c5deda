/** Takes apart the answers in which a peer sends documents: their bodies stay the text that they are. */
import { CouchError } from "../../../protocol/errors.js";
import { blanks, documentAt, endOfText, memberName, parsed, type ScannedDocument } from "./scan-document.js";
import { JsonScanner } from "./scanner.js";

/** A revision, or why there is none: the value of `error`, or the revision that is `missing`. */
export type ScannedRevision =
  | { readonly document: ScannedDocument }
  | { readonly error: unknown }
  | { readonly missing: unknown };

export interface ScannedResult {
  readonly id: unknown;
  readonly revisions: readonly ScannedRevision[];
}

const comma = 0x2c;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;

/** `{"results": [{"id": ..., "docs": [{"ok": {...}}, {"error": {...}}]}]}`. @throws CouchError bad_request */
export function scanBulkGet(text: Buffer): readonly ScannedResult[] {
  const reader = new AnswerReader(text);
  const results: ScannedResult[] = [];
  reader.whole((at) =>
    reader.object(at, (name, value) => {
      if (name !== "results") return reader.skip(value);
      return reader.array(value, (item) => {
        let id: unknown;
        const revisions: ScannedRevision[] = [];
        const end = reader.object(item, (member, inner) => {
          if (member === "docs") return reader.array(inner, (row) => reader.revision(row, revisions));
          const [json, behind] = reader.json(inner);
          if (member === "id") id = json;
          return behind;
        });
        results.push({ id, revisions });
        return end;
      });
    }),
  );
  return results;
}

/** `[{"ok": {...}}, {"missing": "2-..."}]`, the answer to `open_revs`. @throws CouchError bad_request */
export function scanOpenRevs(text: Buffer): readonly ScannedRevision[] {
  const reader = new AnswerReader(text);
  const revisions: ScannedRevision[] = [];
  reader.whole((at) => reader.array(at, (row) => reader.revision(row, revisions)));
  return revisions;
}

/** Reads the value at an index, and gives the index behind it. */
type ReadValue = (index: number) => number;

class AnswerReader {
  readonly #scanner: JsonScanner;

  constructor(text: Buffer) {
    this.#scanner = new JsonScanner(text);
  }

  whole(read: ReadValue): void {
    endOfText(this.#scanner, read(blanks(this.#scanner.text, 0)));
  }

  object(index: number, member: (name: string, value: number) => number): number {
    const { text } = this.#scanner;
    return this.#items(index, openBrace, closeBrace, (at) => {
      const name = memberName(this.#scanner, at);
      return member(name.value, blanks(text, name.end));
    });
  }

  array(index: number, item: ReadValue): number {
    return this.#items(index, openBracket, closeBracket, item);
  }

  skip(index: number): number {
    this.#scanner.writer.restart(index);
    return this.#scanner.value(index);
  }

  json(index: number): readonly [value: unknown, end: number] {
    const end = this.skip(index);
    return [parsed(this.#scanner.text, index, end), end];
  }

  revision(index: number, revisions: ScannedRevision[]): number {
    const { text } = this.#scanner;
    return this.object(index, (name, value) => {
      if (name === "ok" && text[value] === openBrace) {
        const { document, end } = documentAt(this.#scanner, value);
        revisions.push({ document });
        return end;
      }
      const [json, end] = this.json(value);
      if (name === "error") revisions.push({ error: json });
      if (name === "missing") revisions.push({ missing: json });
      return end;
    });
  }

  #items(index: number, open: number, close: number, item: ReadValue): number {
    const { text } = this.#scanner;
    if (text[index] !== open) throw new CouchError("bad_request", "The answer has another shape than it should.");
    let i = blanks(text, index + 1);
    if (text[i] === close) return i + 1;
    for (;;) {
      i = blanks(text, item(i));
      if (text[i] === close) return i + 1;
      if (text[i] !== comma) this.#scanner.fail();
      i = blanks(text, i + 1);
    }
  }
}
