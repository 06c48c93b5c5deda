/** The shape of a case, and what a case is given. */
import type { LoadClient, LoadResult } from "./load/load-client.js";
import type { RunningPeer } from "./peers/peer.js";

export interface BenchRow {
  readonly id: string;
  readonly label: string;
  /** What is counted, e.g. `documents/s` or `ms`. */
  readonly unit: string;
  /** What Settee is to reach; none where there is only something to watch. */
  readonly goal?: number;
  /** For latencies and memory. */
  readonly lessIsBetter?: true;
}

export interface BenchCase {
  readonly id: string;
  readonly rows: readonly BenchRow[];
  /** Too long for every run: only when named by `--only`, and only Settee. */
  readonly onRequest?: true;
  /** Only Settee: a peer would not live through it. */
  readonly onlySettee?: true;
  /** A value for each row, by its id; a peer that cannot tell one (memory, say) leaves it out. */
  run(context: CaseContext): Promise<Readonly<Record<string, number>>>;
}

export interface CaseContext {
  readonly peer: RunningPeer;
  readonly load: LoadClient;
  readonly quick: boolean;
  /** Milliseconds of load in one round. */
  readonly roundTime: number;
  /** Says how far a long case has come. */
  note(text: string): void;
  /** Creates a database of a name not used before; the result is its path, e.g. `/bench-3`. */
  createDatabase(): Promise<string>;
  createDatabases(count: number): Promise<readonly string[]>;
  /** A path for a database yet to be created. */
  newDatabasePath(): string;
  /** Writes documents without timing them. */
  fill(database: string, documents: readonly unknown[]): Promise<void>;
  /** The median over some rounds, after one that is thrown away. */
  median(round: (index: number) => Promise<number>): Promise<number>;
}

/** Requests, or `perRequest` things, per second. */
export function rateOf(result: LoadResult, perRequest = 1): number {
  return (result.sent * perRequest) / result.seconds;
}
