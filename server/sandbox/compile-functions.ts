/** Whether sources are functions, before anything is done with them. */
import { CouchError } from "../../protocol/errors.js";
import type { WorkerPool } from "./worker-pool.js";
import type { CompileWork, Refusal } from "./worker-protocol.js";

export interface CompileQuestion {
  readonly database: string;
  /** The design document's id. */
  readonly designDoc: string;
  readonly sources: readonly string[];
}

const timeLimitMs = 500;

/** For each source why it is no function, or null: compilation_error with QuickJS's words, not_found for an empty one. */
export async function compileFunctions(
  pool: WorkerPool,
  { database, designDoc, sources }: CompileQuestion,
): Promise<readonly (CouchError | null)[]> {
  const present = sources.filter((source) => source !== "");
  // Most often all is well, and one realm is enough to know it.
  const [refused] = present.length === 0 ? [] : await compile(pool, database, [{ designDoc, sources: present }]);
  const each = present.map((source) => ({ designDoc, source }));
  const outcomes = (refused ? await compile(pool, database, each) : each.map(() => null)).values();
  return sources.map((source) =>
    source === "" ? new CouchError("not_found", "missing function") : errorOf(outcomes.next().value ?? null),
  );
}

function compile(
  pool: WorkerPool,
  database: string,
  functions: CompileWork["functions"],
): Promise<readonly (Refusal | null)[]> {
  const calls = functions.map((_, index) => index);
  return pool.run<CompileWork>({ command: "compile", database, functions, timeLimitMs, calls });
}

function errorOf(refused: Refusal | null): CouchError | null {
  return refused && new CouchError("compilation_error", String(refused.reason));
}
