/** The documents that a query asks for, one after the other: read from the chosen index, held against the selector. */
import type { Database, StoredDocument } from "../../documents/database.js";
import type { RevisionNode } from "../../documents/revisions/tree.js";
import type { ShownRevision } from "../../documents/show-document.js";
import { Turn } from "../turns.js";
import type { ViewRow } from "../views/view-row.js";
import { type Bookmark, formatBookmark, parseBookmark } from "./bookmark.js";
import { documentValue } from "./document-value.js";
import type { FindRequest } from "./find-request.js";
import { type HeldIndex, indexRows, storedDocuments } from "./index-scan.js";
import { columnsOf, type MangoIndex } from "./mango-index.js";
import { compileForRows, compileSelector } from "./match.js";
import { covers, type Plan } from "./plan.js";
import { fieldsIn } from "./selector-fields.js";

/** What was found: the document, or the row of an index that has all that is wanted of it. */
export type Found =
  | { readonly row: undefined; readonly shown: ShownRevision }
  | { readonly row: ViewRow; readonly shown: ShownRevision }
  | { readonly row: ViewRow; readonly shown: undefined };

export interface FindStatistics {
  readonly keysExamined: number;
  readonly documentsExamined: number;
  readonly results: number;
}

export interface FindOutcome {
  /** Where the next query goes on; as it was given where nothing was found. */
  readonly bookmark: string | undefined;
  readonly statistics: FindStatistics;
}

export interface FindParts {
  readonly database: Database;
  /** The version of the chosen index that is read; undefined: all documents. */
  readonly held: HeldIndex | undefined;
  /** Asked between two turns; throws when nobody waits for the answer any more. */
  readonly mustGoOn: () => void;
}

/** A row of an index, or a document: there is one of the two. */
interface Candidate {
  readonly row: ViewRow | undefined;
  readonly document: StoredDocument | undefined;
}

type Judge = (candidate: Candidate) => Found | undefined;

/** In steps. @throws CouchError invalid_bookmark; what `mustGoOn` throws */
export async function* find(
  parts: FindParts,
  request: FindRequest,
  plan: Plan,
): AsyncGenerator<readonly Found[], FindOutcome> {
  const { limit, skip } = request;
  const start = request.bookmark === undefined ? undefined : parseBookmark(request.bookmark);
  const judge = judgeFor(parts, request, plan);
  const turn = new Turn();
  let last: Found | undefined;
  let [keysExamined, matched] = [0, 0];
  let found: Found[] = [];
  if (limit > 0) {
    reading: for await (const candidates of candidatesOf(parts, request, start)) {
      for (const candidate of candidates) {
        keysExamined++;
        const match = judge(candidate);
        if (match) {
          last = match;
          if (++matched > skip) found.push(match);
          if (matched === skip + limit) break reading;
        }
        if (!turn.isOver) continue;
        if (found.length > 0) yield found;
        found = [];
        await turn.next();
        parts.mustGoOn();
      }
    }
  }
  if (found.length > 0) yield found;
  return {
    bookmark: last ? formatBookmark(placeOf(last)) : request.bookmark,
    statistics: {
      keysExamined,
      // An index that covers the query has taken the place of all documents.
      documentsExamined: plan.isCovering ? 0 : keysExamined,
      results: Math.max(0, matched - skip),
    },
  };
}

async function* candidatesOf(
  { database, held }: FindParts,
  request: FindRequest,
  start: Bookmark | undefined,
): AsyncIterable<Iterable<Candidate>> {
  if (held) {
    for (const rows of indexRows(held, request, start)) yield rows.map((row) => ({ row, document: undefined }));
    return;
  }
  for await (const documents of storedDocuments(database, request, start)) {
    yield documents.map((document) => ({ row: undefined, document }));
  }
}

function placeOf({ shown, row }: Found): Bookmark {
  return row ? { id: row.id, key: row.key } : { id: shown.document.id, key: undefined };
}

function judgeFor(parts: FindParts, request: FindRequest, plan: Plan): Judge {
  const { database, held } = parts;
  const { selector, conflicts } = request;
  const satisfies = compileSelector(selector);
  const byDocument = (document: StoredDocument | undefined, row: ViewRow | undefined): Found | undefined => {
    const shown = document && winnerOf(database, document);
    return shown && satisfies(documentValue(database, shown, { conflicts })) ? { shown, row } : undefined;
  };
  if (!held)
    return ({ document }) => (document?.id.startsWith("_design/") ? undefined : byDocument(document, undefined));
  const index = plan.index as MangoIndex;
  const columns = columnsOf(index);
  const isKnownByRow = covers(index, fieldsIn(selector)) && (conflicts || !columns.includes("_conflicts"));
  if (!isKnownByRow) return ({ row }) => row && byDocument(database.find(row.id), row);
  const rowSatisfies = compileForRows(selector, columns);
  const { updateSeq } = held.version.progress;
  return ({ row }) => {
    if (!row || !rowSatisfies({ id: row.id, key: JSON.parse(row.key) as readonly unknown[] })) return undefined;
    if (plan.isCovering) return { shown: undefined, row };
    const document = database.find(row.id);
    // What was written since the index was brought up to date, the row does not know of.
    if (!document || document.record.seq > updateSeq) return byDocument(document, row);
    const shown = winnerOf(database, document);
    return shown && { shown, row };
  };
}

function winnerOf(database: Database, document: StoredDocument): ShownRevision | undefined {
  const { tree, winner } = document.record;
  const value = (tree[winner] as RevisionNode).deleted ? undefined : database.value(document, winner);
  return value && { document, index: winner, value };
}
