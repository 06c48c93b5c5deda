import { CouchError } from "../../protocol/errors.js";
import { elementTexts, memberText } from "../documents/json/json-text.js";

/** A JSON object of a request: its members as values, and as texts, which keep the digits of large integers. */
export class JsonBody {
  readonly members: Readonly<Record<string, unknown>>;
  readonly #text: Buffer;

  /** Canonical text of an object. */
  constructor(text: Buffer) {
    this.members = JSON.parse(text.toString()) as Record<string, unknown>;
    this.#text = text;
  }

  has(name: string): boolean {
    return Object.hasOwn(this.members, name);
  }

  /** Canonical text of a member. */
  textOf(name: string): Buffer | undefined {
    return memberText(this.#text, name);
  }

  /** Its elements, when it is an array; undefined when it is not, or not there. */
  elementsOf(name: string): readonly Buffer[] | undefined {
    return Array.isArray(this.members[name]) ? elementTexts(this.textOf(name) as Buffer) : undefined;
  }
}

/** The queries of a request that asks several times at once. @throws CouchError bad_request */
export function queriesIn(body: JsonBody): readonly JsonBody[] {
  if (!body.has("queries")) throw new CouchError("bad_request", "POST body must include `queries` parameter.");
  const queries = body.elementsOf("queries");
  if (!queries) throw new CouchError("bad_request", "`queries` member must be an array.");
  return queries.map((query) => {
    if (query[0] === openBrace) return new JsonBody(query);
    throw new CouchError("bad_request", "`queries` member must be an array of objects.");
  });
}

const openBrace = 0x7b;
