/** The rows of Mango's indexes, picked out of the stored documents: no function runs, and bodies are not parsed. */
import { ByteWriter } from "../../documents/bytes.js";
import type { Database } from "../../documents/database.js";
import { pickPaths, wantedPaths } from "../../documents/json/pick-paths.js";
import { type ShownRevision, showRevision } from "../../documents/show-document.js";
import type { RowsOfDocument } from "../indexes/index-definition.js";
import type { EmittedRow } from "../views/changes.js";
import { documentValue } from "./document-value.js";
import type { FieldPath } from "./field-path.js";
import { compileSelector } from "./match.js";
import type { Selector } from "./selector.js";

export interface MappedFields {
  readonly paths: readonly FieldPath[];
  /** Documents that do not satisfy it have no row. */
  readonly filter: Selector | undefined;
}

const noRows: readonly EmittedRow[] = [];

/** One row, its key the list of the fields' values, for each of `trees` whose fields a document has; none where one is missing. */
export function fieldMapper(
  database: Database,
  trees: readonly MappedFields[],
): (documents: readonly ShownRevision[]) => readonly RowsOfDocument[] {
  const { paths, places } = distinctPaths(trees);
  const wanted = wantedPaths(paths);
  const textOf = paths.some(([name]) => name?.startsWith("_")) ? wholeText(database) : bodyText;
  const filters = trees.map(({ filter }) => filter && compileSelector(filter));
  return (documents) =>
    documents.map((shown) => {
      const found = pickPaths(textOf(shown), wanted);
      let value: unknown;
      return places.map((ofTree, tree) => {
        const key = keyOf(ofTree, found);
        if (key === undefined) return noRows;
        const filter = filters[tree];
        if (filter) value ??= documentValue(database, shown, { conflicts: true });
        return filter && !filter(value) ? noRows : [{ key, value: "null" }];
      });
    });
}

/** Each path once, and for each tree which of them are its fields. */
function distinctPaths(trees: readonly MappedFields[]): {
  readonly paths: readonly FieldPath[];
  readonly places: readonly (readonly number[])[];
} {
  const paths: FieldPath[] = [];
  const known = new Map<string, number>();
  const placeOf = (path: FieldPath): number => {
    const text = JSON.stringify(path);
    const place = known.get(text) ?? paths.push(path) - 1;
    known.set(text, place);
    return place;
  };
  return { paths, places: trees.map((tree) => tree.paths.map(placeOf)) };
}

function keyOf(places: readonly number[], found: readonly (Buffer | undefined)[]): string | undefined {
  let key = "[";
  for (const place of places) {
    const text = found[place];
    if (!text) return undefined;
    if (key.length > 1) key += ",";
    key += text.toString();
  }
  return `${key}]`;
}

function bodyText({ value }: ShownRevision): Buffer {
  return value.body;
}

/** With `_id`, `_rev`, `_attachments` and `_conflicts`, for indexes on these. The text stands until the next one is made. */
function wholeText(database: Database): (shown: ShownRevision) => Buffer {
  const out = new ByteWriter(64 * 1024);
  return (shown) => {
    // Without attachment bytes it is written at once.
    void showRevision(out.reset(), database, shown, { conflicts: true });
    return out.view();
  };
}
