/** Parameters that come in a query string, in a JSON body, or in both: then the query string wins. In CouchDB's words. */
import { CouchError } from "../../protocol/errors.js";
import { canonicalJson, elementTexts } from "../documents/json/json-text.js";
import type { JsonBody } from "./json-body.js";
import { parseJsonParameter, type Query } from "./query.js";

/** One parameter as it was given. */
type Given = { readonly text: string } | { readonly json: unknown; readonly name: string };

const openBracket = 0x5b;
const wholeNumber = /^[+-]?\d+$/;

export class ListParameters {
  readonly #query: Query;
  readonly #body: JsonBody | undefined;

  constructor(query: Query, body?: JsonBody) {
    this.#query = query;
    this.#body = body;
  }

  /** By any of its names. */
  has(...names: readonly string[]): boolean {
    return this.#given(names) !== undefined;
  }

  /** In the query string, which wins. */
  isInQuery(name: string): boolean {
    return this.#query.has(name);
  }

  /** A JSON value; undefined when there is none. @throws CouchError bad_request */
  json(...names: readonly string[]): unknown {
    const given = this.#given(names);
    return given && ("text" in given ? parseJsonParameter(given.text) : given.json);
  }

  /** A JSON value as canonical text, large integers and all. @throws CouchError bad_request */
  canonical(...names: readonly string[]): string | undefined {
    const given = this.#given(names);
    return given && this.#canonical(given).toString();
  }

  /** The elements of an array as canonical texts; undefined when it is something else, or not there. @throws CouchError bad_request */
  canonicalElements(name: string): readonly string[] | undefined {
    const given = this.#given([name]);
    const text = given && this.#canonical(given);
    return text?.[0] === openBracket ? elementTexts(text).map((element) => element.toString()) : undefined;
  }

  /** Plain text, as it is. */
  text(...names: readonly string[]): string | undefined {
    const given = this.#given(names);
    if (!given) return undefined;
    return "text" in given ? given.text : String(given.json);
  }

  /** @throws CouchError query_parse_error */
  flag(name: string): boolean | undefined {
    const given = this.#given([name]);
    if (!given) return undefined;
    const word = String("text" in given ? given.text : given.json).toLowerCase();
    if (word === "true" || word === "false") return word === "true";
    throw new CouchError("query_parse_error", `Invalid boolean parameter: ${shown(given)}`);
  }

  /** A whole number that is not negative. @throws CouchError query_parse_error */
  count(name: string): number | undefined {
    const given = this.#given([name]);
    if (!given) return undefined;
    const number = "text" in given ? (wholeNumber.test(given.text) ? Number(given.text) : undefined) : given.json;
    if (typeof number !== "number" || !Number.isInteger(number)) {
      throw new CouchError("query_parse_error", `Invalid value for integer: ${shown(given)}`);
    }
    if (number < 0) throw new CouchError("query_parse_error", `Invalid value for positive integer: ${shown(given)}`);
    return number;
  }

  /** One of some words. @throws CouchError query_parse_error */
  word<const Words extends readonly string[]>(name: string, words: Words): Words[number] | undefined {
    const text = this.text(name);
    if (text !== undefined && !words.includes(text)) {
      throw new CouchError("query_parse_error", `Invalid value for \`${name}\`.`);
    }
    return text;
  }

  /** A list of JSON values. @throws CouchError bad_request */
  list(name: string): readonly unknown[] | undefined {
    const given = this.#given([name]);
    if (!given) return undefined;
    const value = this.json(name);
    if (Array.isArray(value)) return value;
    const where = "text" in given ? "parameter" : "body member";
    throw new CouchError("bad_request", `\`${name}\` ${where} must be an array.`);
  }

  #canonical(given: Given): Buffer {
    if ("text" in given) return canonicalJson(Buffer.from(given.text));
    return this.#body?.textOf(given.name) as Buffer;
  }

  #given(names: readonly string[]): Given | undefined {
    for (const name of names) {
      const text = this.#query.get(name);
      if (text !== undefined) return { text };
    }
    for (const name of names) {
      if (this.#body?.has(name)) return { json: this.#body.members[name], name };
    }
    return undefined;
  }
}

/** As CouchDB quotes it: text of a query string is a list of characters there, text of a body a binary. */
function shown(given: Given): string {
  if ("text" in given) return given.text === "" ? "[]" : JSON.stringify(given.text);
  return typeof given.json === "string" ? `<<${JSON.stringify(given.json)}>>` : JSON.stringify(given.json);
}
