import type { DatabaseName } from "../../protocol/ids.js";
import type { Databases } from "../documents/databases.js";

export interface SizeListener {
  wrote(database: DatabaseName, sizes: { readonly documents: number; readonly bytes: number }): void;
}

/** Tells of what a database holds, as `Backend.databaseInfo` counts it, after every write. The result ends that. */
export function tellSizes(databases: Pick<Databases, "onWrite">, listener: SizeListener): () => void {
  return databases.onWrite(({ name, log }) => {
    const { documents, externalBytes: bytes } = log.committed.counters;
    listener.wrote(name, { documents, bytes });
  });
}
