/** A server under the benchmark's load. */
import type { Target } from "../load/load-client.js";

export type PeerId = "settee" | "express-level" | "express-memory" | "couchdb";

export interface PeerKind {
  readonly id: PeerId;
  readonly label: string;
  /** What an acknowledged write is worth, and what else makes the comparison fair or unfair. */
  readonly note: string;
  /** Undefined when this machine has no such peer. */
  readonly start: (() => Promise<RunningPeer>) | undefined;
}

export interface RunningPeer {
  readonly target: Target;
  /** For PouchDB, which makes its own header. */
  readonly auth?: { readonly username: string; readonly password: string };
  /** Bytes of memory the server holds; undefined when it cannot be told. */
  residentBytes(): number | undefined;
  openFiles(): number | undefined;
  dataDir: string | undefined;
  /** Stops it gracefully and starts it again on the same data; resolves when it listens. */
  restart(): Promise<void>;
  close(): Promise<void>;
}
