/** The body of a listing by id, piece by piece as it is pulled. */
import { ByteWriter } from "../documents/bytes.js";
import type { Database } from "../documents/database.js";
import { quote, writeDocument } from "../documents/document-text.js";
import type { IdRange } from "../documents/id-range.js";
import { showRevision } from "../documents/show-document.js";
import type { ListQuery } from "./list-query.js";
import type { ListedDocument, Listing } from "./listings.js";

/** Bytes gathered before they are handed to the socket. */
const chunkSize = 64 * 1024;
const longestStep = 500;
/** Keys looked up before other requests get their turn. */
const turnSize = 500;

/** The answer to one query, without a newline at its end. */
export function listAnswer(listing: Listing, query: ListQuery): AsyncGenerator<Buffer> {
  return query.keys ? listOfKeys(listing, query, query.keys) : listOfRange(listing, query);
}

/** Several answers in one. */
export async function* listAnswers(answers: readonly AsyncGenerator<Buffer>[]): AsyncGenerator<Buffer> {
  yield Buffer.from('{"results":[\n');
  for (const [index, answer] of answers.entries()) {
    if (index > 0) yield Buffer.from(",\n");
    yield* answer;
  }
  yield Buffer.from("\n]}\n");
}

export async function* withNewline(answer: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  yield* answer;
  yield Buffer.from("\n");
}

async function* listOfRange(listing: Listing, query: ListQuery): AsyncGenerator<Buffer> {
  const { database } = listing;
  const { descending, limit, skip } = query;
  const range = listing.within({
    from: query.from,
    to: query.to,
    descending,
    step: Math.min(skip + limit, longestStep),
  });
  const { updateSeq } = database;
  const total = await listing.total();
  const start = await startOf(listing, range, total);
  const offset = start === null || total === null ? null : Math.min(total, start + skip);
  const out = new ByteWriter(4096).utf8(head(database, query, total, offset));
  let seen = 0;
  let last: string | undefined;
  if (limit > 0) {
    reading: for await (const documents of listing.documents(range)) {
      for (const document of documents) {
        if (seen++ < skip) continue;
        if (seen > skip + limit) break reading;
        out.latin1(last === undefined ? "" : ",\n");
        last = document.id;
        const writing = writeRow(out, database, query, document);
        if (writing) await writing;
        if (out.length >= chunkSize) yield out.take();
      }
      // Not one more step only to see that it is too much.
      if (seen >= skip + limit) break;
    }
  }
  yield out.latin1("\n]}").view();
  // Where the next page will begin.
  if (start !== null && last !== undefined && !descending) {
    listing.mark?.(updateSeq, last, start + Math.min(seen, skip + limit) - 1);
  }
}

/** Rows before the first one of the range, in the direction of reading. */
async function startOf(
  listing: Listing,
  { from, to, descending }: IdRange,
  total: number | null,
): Promise<number | null> {
  if (total === null) return null;
  if (!descending) return from === undefined ? 0 : await listing.before(from);
  return to === undefined ? 0 : total - ((await listing.before(to)) ?? 0);
}

async function* listOfKeys(listing: Listing, query: ListQuery, keys: readonly unknown[]): AsyncGenerator<Buffer> {
  const { database } = listing;
  const { descending, skip, limit } = query;
  const out = new ByteWriter(4096).utf8(head(database, query, await listing.total(), null));
  const asked = (descending ? keys.toReversed() : keys).slice(skip, skip + limit);
  let rows = 0;
  for (const [index, key] of asked.entries()) {
    if (index % turnSize === turnSize - 1) await new Promise(setImmediate);
    if (typeof key === "string" && !listing.covers(key)) continue;
    if (rows++ > 0) out.latin1(",\n");
    const document = typeof key === "string" ? listing.find(key) : undefined;
    const writing = document
      ? writeRow(out, database, query, document)
      : void out.utf8(`{"key":${JSON.stringify(key)},"error":"not_found"}`);
    if (writing) await writing;
    if (out.length >= chunkSize) yield out.take();
  }
  yield out.latin1("\n]}").view();
}

function head(database: Database, query: ListQuery, total: number | null, offset: number | null): string {
  const seq = query.keys ? "null" : `"${database.seqText(database.updateSeq)}"`;
  return `{"total_rows":${total},"offset":${offset},${query.updateSeq ? `"update_seq":${seq},` : ""}"rows":[\n`;
}

/** Synchronous unless attachment bytes must be read from files. */
function writeRow(
  out: ByteWriter,
  database: Database,
  { show }: ListQuery,
  document: ListedDocument,
): void | Promise<void> {
  const { rev, deleted, content } = document;
  const id = quote(document.id);
  out.utf8(`{"id":${id},"key":${id},"value":{"rev":${quote(rev)}${deleted ? ',"deleted":true' : ""}}`);
  if (!show) return void out.latin1("}");
  out.latin1(',"doc":');
  if ("body" in content) {
    writeDocument(out, { id: document.id, rev, deleted, value: { body: content.body, attachments: [] } });
    return void out.latin1("}");
  }
  const index = content.record.winner;
  const value = deleted ? undefined : database.value(content, index);
  if (!value) return void out.latin1("null}");
  const showing = showRevision(out, database, { document: content, index, value }, show);
  if (showing) return showing.then(() => void out.latin1("}"));
  out.latin1("}");
}
