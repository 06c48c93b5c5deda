/** What is found, as JSON text: whole documents or the fields that are wanted of them. */
import { ByteWriter } from "../../documents/bytes.js";
import type { Database } from "../../documents/database.js";
import { quote } from "../../documents/document-text.js";
import { pickPaths, wantedPaths } from "../../documents/json/pick-paths.js";
import { showRevision } from "../../documents/show-document.js";
import type { ViewRow } from "../views/view-row.js";
import { composeFields, type Fields, writeFields } from "./fields.js";
import type { Found } from "./find.js";
import type { FindRequest } from "./find-request.js";
import { columnsOf, type MangoIndex } from "./mango-index.js";

export type WriteFound = (out: ByteWriter, found: Found) => void;

const whole = new ByteWriter(64 * 1024);

export function foundWriter(database: Database, { fields, conflicts }: FindRequest, index: MangoIndex): WriteFound {
  // Stubs need no bytes of attachments, so nothing is waited for.
  if (!fields) return (out, { shown }) => void (shown && showRevision(out, database, shown, { conflicts }));
  const writeRow = rowWriter(fields, columnsOf(index));
  return (out, { shown, row }) => {
    if (!shown) return writeRow(out, row);
    void showRevision(whole.reset(), database, shown, { conflicts });
    writeFields(out, whole.view(), fields);
  };
}

/** For an index that has all fields as columns; the id is one more. */
function rowWriter({ names, paths }: Fields, columns: readonly string[]): (out: ByteWriter, row: ViewRow) => void {
  const wanted = wantedPaths(columns.map((_, i) => [String(i)]));
  return (out, row) => {
    const values = pickPaths(Buffer.from(row.key), wanted);
    const id = Buffer.from(quote(row.id));
    composeFields(
      out,
      paths,
      names.map((name) => values[columns.indexOf(name)] ?? id),
    );
  };
}
