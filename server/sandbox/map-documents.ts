/** What the map functions of a design document emit for documents: in batches, and one by one where a batch fails. */
import { changesNothing } from "./changes-nothing.js";
import { refusalError } from "./refusal-error.js";
import type { WorkerPool } from "./worker-pool.js";
import {
  isEnded,
  type Limited,
  type LogEntry,
  type MapCall,
  type MapSource,
  type MapWork,
  mostEnded,
  type Refusal,
} from "./worker-protocol.js";

export interface MapBatch {
  readonly database: string;
  readonly map: MapSource;
  /** JSON texts. */
  readonly documents: readonly string[];
  /** Milliseconds for each document. Default: what the sandbox is set to. */
  readonly timeLimitMs?: number;
}

/** JSON texts as JavaScript prints them. */
export type EmittedRow = readonly [key: string, value: string];

/** Rows that one function emitted for one document, in order; null when it failed on the document, which the log tells of. */
export type EmittedRows = readonly EmittedRow[] | null;

/** Of one call: many enough that crossing into the realm costs little, few enough that a database's turn does not get long. */
const maxDocuments = 100;
const maxCharacters = 1024 * 1024;
const noRows: readonly EmittedRow[] = [];

/** Of the rows of one answer; beyond, the other documents have to be asked for again, so that whoever asks can put these away first. */
const mostEmitted = 16 * 1024 * 1024;

/** Documents from `from` up to `to`, with all functions or `only` one. */
interface Piece {
  readonly from: number;
  readonly to: number;
  readonly only: number | null;
}

/**
 * For each document, for each function; of the first documents alone where these emit very much.
 * @throws CouchError compilation_error (500) when one of the functions does not compile; timeout or unknown_error when more than
 * a few documents had to be ended: an index of what is left would be no index
 */
export async function mapDocuments(
  pool: WorkerPool,
  batch: Limited<MapBatch>,
  log: (entry: LogEntry) => void,
): Promise<readonly (readonly EmittedRows[])[]> {
  const { database, map, documents, timeLimitMs } = batch;
  const rows: EmittedRows[][] = documents.map(() => map.sources.map(() => null));
  const frozen = !map.sources.every(changesNothing);
  const todo = [...piecesOf(documents)];
  let emitted = 0;
  let ended = 0;
  for (let piece = todo.shift(); piece; piece = todo.shift()) {
    const calls = [callOf(piece, documents)];
    const work: MapWork = { command: "map", database, functions: [map], frozen, timeLimitMs, calls };
    const [outcome] = await pool.run(work);
    if (typeof outcome === "string") {
      readRows(outcome, piece, rows);
      emitted += outcome.length;
    } else if (outcome) {
      if (outcome.error === "compilation_error") throw refusalError(outcome);
      const parts = partsOf(piece, map.sources.length);
      if (parts.length === 0) {
        if (isEnded(outcome) && ++ended > mostEnded) throw refusalError(outcome);
        log(failureOf(batch, piece, outcome));
      }
      todo.unshift(...parts);
    }
    const next = todo[0];
    if (next && next.from > piece.from && emitted > mostEmitted) return rows.slice(0, next.from);
  }
  return rows;
}

function piecesOf(documents: readonly string[]): readonly Piece[] {
  const pieces: Piece[] = [];
  let from = 0;
  let characters = 0;
  documents.forEach((document, index) => {
    if (index > from && (index - from === maxDocuments || characters + document.length > maxCharacters)) {
      pieces.push({ from, to: index, only: null });
      from = index;
      characters = 0;
    }
    characters += document.length;
  });
  if (documents.length > from) pieces.push({ from, to: documents.length, only: null });
  return pieces;
}

/** A piece that failed is tried again in smaller ones, until it is one function on one document that fails. */
function partsOf({ from, to, only }: Piece, functions: number): readonly Piece[] {
  if (to - from > 1)
    return Array.from({ length: to - from }, (_, place) => ({ from: from + place, to: from + place + 1, only }));
  if (only === null && functions > 1)
    return Array.from({ length: functions }, (_, index) => ({ from, to, only: index }));
  return [];
}

function callOf({ from, to, only }: Piece, documents: readonly string[]): MapCall {
  return { documents: `[${documents.slice(from, to).join(",")}]`, only };
}

/** The format stands in `commands/map.ts`. */
function readRows(text: string, { from, to, only }: Piece, rows: EmittedRows[][]): void {
  const lines = text.split("\n");
  let line = 0;
  for (let place = from; place < to; place++) {
    const ofDocument = rows[place] as EmittedRows[];
    const end = only === null ? ofDocument.length : only + 1;
    for (let index = only ?? 0; index < end; index++) {
      const count = lines[line++] as string;
      if (count === "!") continue;
      const emitted: EmittedRow[] = [];
      for (let row = 0; row < +count; row++) emitted.push([lines[line++] as string, lines[line++] as string]);
      ofDocument[index] = emitted.length === 0 ? noRows : emitted;
    }
  }
}

function failureOf({ database, map, documents }: MapBatch, { from }: Piece, { reason }: Refusal): LogEntry {
  const { _id } = JSON.parse(documents[from] as string) as { readonly _id: unknown };
  return { database, designDoc: map.designDoc, message: `function was ended: ${reason} with doc._id ${_id}` };
}
