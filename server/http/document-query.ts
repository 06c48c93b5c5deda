/** The parameters of `GET /{db}/{docid}`. */
import type { RevId } from "../../protocol/ids.js";
import type { ShowOptions } from "../documents/show-document.js";
import type { Query } from "./query.js";

export interface DocumentQuery {
  readonly rev: RevId | undefined;
  readonly latest: boolean;
  readonly openRevs: "all" | readonly RevId[] | undefined;
  readonly show: ShowOptions;
}

const nothing: DocumentQuery = { rev: undefined, latest: false, openRevs: undefined, show: {} };

/** Flags that are not `true` are false, whatever they say. @throws CouchError bad_request for lists of revisions */
export function parseDocumentQuery(query: Query): DocumentQuery {
  if (query.isEmpty) return nothing;
  const rev = query.rev();
  // CouchDB tells these of the winner only.
  const meta = rev === undefined;
  const all = meta && query.flag("meta");
  const openRevs = query.get("open_revs") === "all" ? "all" : query.revs("open_revs");
  const attsSince = query.revs("atts_since");
  return {
    rev,
    latest: query.flag("latest"),
    openRevs: openRevs?.length === 0 ? undefined : openRevs,
    show: {
      revs: query.flag("revs"),
      revsInfo: all || (meta && query.flag("revs_info")),
      conflicts: all || (meta && query.flag("conflicts")),
      deletedConflicts: all || (meta && query.flag("deleted_conflicts")),
      localSeq: meta && query.flag("local_seq"),
      attachments: query.flag("attachments"),
      attEncodingInfo: query.flag("att_encoding_info"),
      ...(attsSince === undefined ? {} : { attsSince }),
    },
  };
}
