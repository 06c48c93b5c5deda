/** `fields`: which members of the documents found are wanted. Values keep their text, so that no number loses a digit. */
import { CouchError } from "../../../protocol/errors.js";
import type { ByteWriter } from "../../documents/bytes.js";
import { pickPaths, type WantedPaths, wantedPaths } from "../../documents/json/pick-paths.js";
import { erlangTerm } from "./erlang-term.js";
import { type FieldPath, parseFieldPath } from "./field-path.js";

/** The fields wanted, in order. */
export interface Fields {
  /** As they were written. */
  readonly names: readonly string[];
  readonly paths: readonly FieldPath[];
  readonly wanted: WantedPaths;
}

/** Undefined means whole documents: an empty list does, too. @throws CouchError invalid_fields, invalid_field */
export function parseFields(json: unknown): Fields | undefined {
  if (json === undefined) return undefined;
  if (!Array.isArray(json)) {
    throw new CouchError("invalid_fields", `Fields must be an array of strings, not: ${erlangTerm(json)}`);
  }
  if (json.length === 0) return undefined;
  const names = json.map((field): string => {
    if (typeof field === "string") return field;
    throw new CouchError("invalid_field", `Invalid JSON for field spec: ${erlangTerm(field)}`);
  });
  const paths = names.map(parseField);
  return { names, paths, wanted: wantedPaths(paths) };
}

function parseField(field: string): FieldPath {
  try {
    return parseFieldPath(field);
  } catch (error) {
    throw new CouchError("invalid_field", `Invalid field name: ${field}`, { cause: error });
  }
}

/** What an object has on its way into the answer: members in order, as text or as further objects. */
type Members = Map<string, Members | Buffer>;

/** The document with its wanted fields only, in the order in which they were asked for. `text` is the document's own. */
export function writeFields(out: ByteWriter, text: Buffer, { paths, wanted }: Fields): void {
  composeFields(out, paths, pickPaths(text, wanted));
}

/** A document that has at each path the value of that place, where there is one. */
export function composeFields(
  out: ByteWriter,
  paths: readonly FieldPath[],
  values: readonly (Buffer | undefined)[],
): void {
  const members: Members = new Map();
  paths.forEach((path, i) => {
    const value = values[i];
    if (value) put(members, path, value);
  });
  write(out, members);
}

function put(members: Members, path: FieldPath, value: Buffer): void {
  let at = members;
  for (const name of path.slice(0, -1)) {
    const next = at.get(name) ?? new Map();
    // The whole was wanted as well, and has this part in it.
    if (!(next instanceof Map)) return;
    at.set(name, next);
    at = next;
  }
  at.set(path.at(-1) as string, value);
}

function write(out: ByteWriter, members: Members): void {
  let divider = "{";
  for (const [name, value] of members) {
    out.latin1(divider).utf8(`${JSON.stringify(name)}:`);
    if (value instanceof Map) write(out, value);
    else out.raw(value);
    divider = ",";
  }
  out.latin1(divider === "{" ? "{}" : "}");
}
