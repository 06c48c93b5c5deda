/** How rows are written in one line each: `refused("bad_request", "count is a fraction", "GET /_uuids?count=1.5")`. */
import { catalogue, type ErrorName } from "../../../protocol/errors.js";
import type { Row } from "./table.js";

type More = Partial<Omit<Extract<Row, { readonly ask: string }>, "name" | "ask">>;

/** With the catalogue's status, unless `more` has another one. */
export function refused(error: ErrorName, name: string, ask: string, more: More = {}): Row {
  return { name, ask, status: catalogue[error].status, error, ...more } as Row;
}

/** The same refusal for several requests: names to what is asked. */
export function eachRefused(error: ErrorName, asks: Readonly<Record<string, string>>, more: More = {}): readonly Row[] {
  return Object.entries(asks).map(([name, ask]) => refused(error, name, ask, more));
}

/** The same refusal for several bodies of one request: names to texts. */
export function eachBodyRefused(
  error: ErrorName,
  ask: string,
  bodies: Readonly<Record<string, string>>,
  more: More = {},
): readonly Row[] {
  return Object.entries(bodies).map(([name, text]) => refused(error, name, ask, { text, ...more }));
}

/** Rows that hold for Settee only. */
export function onlySettee(because: string, rows: readonly Row[]): readonly Row[] {
  return rows.map((row) => ({ ...row, only: "settee", because }) as Row);
}

/** What CouchDB breaks off for with a 500 is a refusal here that says what is wrong. */
export const clearer = "CouchDB breaks off with an internal error (500); a 400 tells the client what is wrong";
/** Of the socket's own grammar: mochiweb answers by itself, without a body, or not at all. */
export const socketLayer = "CouchDB's socket layer answers for itself, without a word, or just ends the connection";
