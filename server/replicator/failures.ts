/** Telling failures of a peer apart: what may pass by itself, and what will not. */
import { CouchError } from "../../protocol/errors.js";

/** The peer could not be reached, broke off, or has too much to do: the same request may succeed later. */
export class PeerUnavailable extends CouchError {
  constructor(reason: string, cause?: unknown) {
    super("replication_error", reason, cause === undefined ? {} : { cause });
  }
}

export function isTransient(error: unknown): error is PeerUnavailable {
  return error instanceof PeerUnavailable;
}

/** What a client is told of any failure. */
export function asReplicationError(error: unknown): CouchError {
  if (error instanceof CouchError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new CouchError("replication_error", reason, { cause: error });
}
