import type { RealmTools } from "../in-realm/tools.js";
import type { Realms } from "../realms.js";
import type { MapCall, MapWork, Refusal } from "../worker-protocol.js";

export function map(realms: Realms, work: MapWork, { documents, only }: MapCall): string | Refusal {
  const texts = [documents, work.frozen ? "frozen" : "", only === null ? "" : String(only)];
  return realms.ask("map", work, work.functions[0], texts) as string | Refusal;
}

/**
 * Given the JSON text of an array of documents. The answer has lines: for each document and each function (or the one of index
 * `only`) a count of rows, and for each row two lines, the JSON texts of its key and value; a `!` instead of the count when the
 * function threw. Lines, since JSON texts hold no raw newline: the other side cuts the text up and parses nothing.
 */
export function mapInRealm(tools: RealmTools): (documents: string, frozen: string, only: string) => string {
  const { parse, stringify } = tools;
  const { freeze } = Object;
  const { isArray } = Array;
  const { join } = Array.prototype;
  let emitted: unknown[] = [];
  let count = 0;

  tools.define("emit", (key: unknown, value: unknown) => {
    emitted[count++] = key;
    emitted[count++] = value;
  });

  /** As in CouchDB a function cannot change the document under the functions that come after it. */
  const freezeAll = (value: object): void => {
    freeze(value);
    if (isArray(value)) {
      for (let index = 0; index < value.length; index++) {
        const member: unknown = value[index];
        if (typeof member === "object" && member !== null) freezeAll(member);
      }
    } else {
      for (const name in value) {
        const member = (value as Record<string, unknown>)[name];
        if (typeof member === "object" && member !== null) freezeAll(member);
      }
    }
  };

  const textOf = (value: unknown): string => {
    if (value === null || value === undefined) return "null";
    // The same digits as JSON has, without a call; what is not finite JSON has no number for.
    if (typeof value === "number" && value - value === 0) return `${value}`;
    const text = stringify(value);
    return text === undefined ? "null" : text;
  };

  /** Appends the lines of one function for one document, when the function is done: until then it may change what it emitted. */
  const appendRows = (subject: (document: unknown) => unknown, document: unknown, lines: (string | number)[]): void => {
    emitted = [];
    count = 0;
    subject(document);
    const total = count;
    let end = lines.length;
    lines[end++] = total / 2;
    for (let index = 0; index < total; index++) lines[end++] = textOf(emitted[index]);
  };

  return (documentTexts, frozen, only) => {
    try {
      const { subjects } = tools;
      const documents = parse(documentTexts) as { readonly _id: unknown }[];
      const first = only === "" ? 0 : +only;
      const end = only === "" ? subjects.length : first + 1;
      const lines: (string | number)[] = [];
      for (let place = 0; place < documents.length; place++) {
        const document = documents[place] as { readonly _id: unknown };
        if (frozen !== "") freezeAll(document);
        for (let index = first; index < end; index++) {
          const subject = subjects[index] as (document: unknown) => unknown;
          const { length } = lines;
          try {
            appendRows(subject, document, lines);
          } catch (thrown) {
            if (tools.exhausted(thrown) !== undefined) throw thrown;
            tools.log(`function raised exception ${tools.textOf(thrown)} with doc._id ${tools.textOf(document._id)}`);
            lines.length = length;
            lines[length] = "!";
          }
        }
      }
      return tools.answerText(tools.apply(join, lines, ["\n"]) as string);
    } catch (thrown) {
      return tools.answer(tools.exhausted(thrown) ?? tools.refuse("unknown_error", tools.textOf(thrown)));
    }
  };
}
