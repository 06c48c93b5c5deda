import { CouchError } from "../../protocol/errors.js";
import { isEnded, mostEnded, type Refusal } from "./worker-protocol.js";

/** What a client is told of a refusal. A function may give any JSON as its reason, and a word of its own as the error. */
export function refusalError({ error, word, reason, status }: Refusal): CouchError {
  const detail = { ...(word === undefined ? {} : { error: word }), ...(typeof reason === "string" ? {} : { reason }) };
  const text = typeof reason === "string" ? reason : JSON.stringify(reason);
  return new CouchError(error, text, { status, detail });
}

/** One of the calls that were ended, when so many were that the function is no good. */
export function firstOfTooMany(outcomes: readonly unknown[]): Refusal | undefined {
  const ended = outcomes.filter(isEnded);
  return ended.length > mostEnded ? ended[0] : undefined;
}
