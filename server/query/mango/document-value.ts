import { ByteWriter } from "../../documents/bytes.js";
import type { Database } from "../../documents/database.js";
import { type ShownRevision, showRevision } from "../../documents/show-document.js";

/** The revision as selectors see it: parsed, with `_id`, `_rev`, `_deleted` and `_attachments` as stubs. */
export function documentValue(database: Database, shown: ShownRevision): unknown {
  const out = new ByteWriter(shown.value.body.length + 512);
  // Stubs need no bytes of attachments, so nothing is waited for.
  void showRevision(out, database, shown, {});
  return JSON.parse(out.view().toString());
}
