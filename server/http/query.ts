/** The parameters of a query string, decoded, with CouchDB's readings of them. */
import { CouchError } from "../../protocol/errors.js";
import { parseRevId, type RevId } from "../../protocol/ids.js";

export class Query {
  readonly #pairs: readonly (readonly [string, string])[];

  constructor(pairs: readonly (readonly [string, string])[]) {
    this.#pairs = pairs;
  }

  get isEmpty(): boolean {
    return this.#pairs.length === 0;
  }

  /** The first value of a name. */
  get(name: string): string | undefined {
    for (const pair of this.#pairs) if (pair[0] === name) return pair[1];
    return undefined;
  }

  has(name: string): boolean {
    return this.get(name) !== undefined;
  }

  [Symbol.iterator](): Iterator<readonly [string, string]> {
    return this.#pairs[Symbol.iterator]();
  }

  /** `true` is true and anything else is not: how CouchDB reads flags of documents and feeds. */
  flag(name: string): boolean {
    return this.get(name) === "true";
  }

  /** A revision. @throws CouchError bad_request */
  rev(name = "rev"): RevId | undefined {
    const text = this.get(name);
    return text === undefined ? undefined : parseRevId(text);
  }

  /** A list of revisions as JSON. @throws CouchError bad_request */
  revs(name: string): readonly RevId[] | undefined {
    const text = this.get(name);
    if (text === undefined) return undefined;
    const list = parseJsonParameter(text);
    if (!Array.isArray(list)) throw new CouchError("bad_request", "Invalid list of revisions");
    return list.map(parseRevId);
  }
}

const none = new Query([]);

/** `text` is what stands behind the question mark. @throws CouchError bad_request for bad percent-encoding */
export function parseQuery(text: string | undefined): Query {
  if (!text) return none;
  const pairs = text.split("&").flatMap((part): [string, string][] => {
    if (part === "") return [];
    const equals = part.indexOf("=");
    return equals < 0 ? [[decode(part), ""]] : [[decode(part.slice(0, equals)), decode(part.slice(equals + 1))]];
  });
  return new Query(pairs);
}

function decode(text: string): string {
  const spaced = text.includes("+") ? text.replaceAll("+", " ") : text;
  if (!spaced.includes("%")) return spaced;
  try {
    return decodeURIComponent(spaced);
  } catch {
    throw new CouchError("bad_request", "The query string is not valid UTF-8 in percent-encoding.");
  }
}

/** @throws CouchError bad_request `invalid UTF-8 JSON` */
export function parseJsonParameter(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new CouchError("bad_request", "invalid UTF-8 JSON");
  }
}
