import type { CaseContext } from "./bench-case.js";
import { LoadClient } from "./load/load-client.js";
import type { RunningPeer } from "./peers/peer.js";

/** Databases of the benchmark begin so, for a peer whose databases are not ours alone. */
export const databasePrefix = "bench-";

const fillBatch = 1000;

export function caseContext(peer: RunningPeer, quick: boolean, note: CaseContext["note"]): CaseContext {
  const load = new LoadClient(peer.target);
  const rounds = quick ? 1 : 3;
  let databases = 0;
  const context: CaseContext = {
    peer,
    load,
    quick,
    note,
    roundTime: quick ? 500 : 1500,
    newDatabasePath() {
      databases += 1;
      return `/${databasePrefix}${process.pid}-${databases}`;
    },
    async createDatabase() {
      const path = context.newDatabasePath();
      await load.ask("PUT", path);
      return path;
    },
    async createDatabases(count) {
      const paths = Array.from({ length: count }, () => context.newDatabasePath());
      await load.run(
        paths.map((path) => load.prepare("PUT", path)),
        16,
      );
      return paths;
    },
    async fill(database, documents) {
      const revised = documents.some((document) => (document as { _rev?: string })._rev !== undefined);
      for (let from = 0; from < documents.length; from += fillBatch) {
        const docs = documents.slice(from, from + fillBatch);
        await load.ask("POST", `${database}/_bulk_docs`, revised ? { docs, new_edits: false } : { docs });
      }
    },
    async median(round) {
      await round(0);
      const values: number[] = [];
      for (let index = 1; index <= rounds; index += 1) values.push(await round(index));
      return values.sort((a, b) => a - b)[Math.floor(rounds / 2)] as number;
    },
  };
  return context;
}
