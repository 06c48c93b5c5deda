import { ByteWriter } from "../../documents/bytes.js";
import type { Database } from "../../documents/database.js";
import { type ShownRevision, type ShowOptions, showRevision } from "../../documents/show-document.js";

const out = new ByteWriter(64 * 1024);

/** The revision as selectors see it: parsed, with `_id`, `_rev`, `_deleted` and `_attachments` as stubs. */
export function documentValue(
  database: Database,
  shown: ShownRevision,
  options: Pick<ShowOptions, "conflicts"> = {},
): unknown {
  // Stubs need no bytes of attachments, so nothing is waited for.
  void showRevision(out.reset(), database, shown, options);
  return JSON.parse(out.view().toString());
}
