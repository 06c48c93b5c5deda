/** How selectors, indexes and `fields` name a member: `address.city`, `tags.0`; a dot that belongs to a name is `\.`. */
import { CouchError } from "../../../protocol/errors.js";

export type FieldPath = readonly string[];

/** Projections recurse along paths, and nobody names a member this deep. */
const longestPath = 500;
const dividingDot = /(?<!\\)\./;

/** As in CouchDB no name can have a backslash: all of them escape. @throws CouchError invalid_selector */
export function parseFieldPath(name: string): FieldPath {
  const parts = name.includes("\\")
    ? name.split(dividingDot).map((part) => part.replaceAll("\\", ""))
    : name.split(".");
  if (parts.includes("") || parts.length > longestPath) {
    throw new CouchError("invalid_selector", `Invalid field name: ${name}`);
  }
  return parts;
}

/** Nothing is there, though it could be. */
export const notFound: unique symbol = Symbol("not found");
/** Nothing can be there: the way leads into a text or number, or past the end of an array. */
export const badPath: unique symbol = Symbol("bad path");

/** One spelling for each: an index, which is picked from text, must find what a selector finds. */
const index = /^(0|[1-9]\d*)$/;

/** What stands at the end of a path in a JSON value. Own members only: no document reaches a prototype. */
export function valueAt(value: unknown, path: FieldPath): unknown {
  let at = value;
  for (const name of path) {
    if (Array.isArray(at)) {
      if (!index.test(name) || Number(name) >= at.length) return badPath;
      at = at[Number(name)];
    } else if (typeof at === "object" && at !== null) {
      if (!Object.hasOwn(at, name)) return notFound;
      at = (at as Record<string, unknown>)[name];
    } else return badPath;
  }
  return at;
}
