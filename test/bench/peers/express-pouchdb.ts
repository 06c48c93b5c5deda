import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type ServerCommand, ServerProcess } from "../../helpers/server-process.js";
import { localPeer } from "./local-process.js";
import type { PeerKind } from "./peer.js";

export type ExpressStore = "level" | "memory";

export function expressPouchDbCommand(store: ExpressStore): ServerCommand {
  const server = join(fileURLToPath(new URL(".", import.meta.url)), "express-pouchdb-server.js");
  return {
    label: `express-pouchdb over ${store}`,
    // express-pouchdb is of the age of `new Buffer` and says so at length.
    nodeArguments: ["--no-deprecation", "--no-warnings", server, store],
    environment: (port, dataDir) => ({ PEER_PORT: String(port), PEER_DATA_DIR: dataDir }),
  };
}

function expressPouchDb(store: ExpressStore, note: string): PeerKind {
  return {
    id: `express-${store}`,
    label: `express-pouchdb, ${store}`,
    note,
    start: async () => localPeer(await ServerProcess.start(expressPouchDbCommand(store)), {}),
  };
}

export const expressLevel = expressPouchDb(
  "level",
  "one LevelDB per database; made to sync every batch (its own default does not), so that a write is as durable as " +
    "ours; its minimal mode with queries, without accounts, permissions or validation, and without credentials on requests",
);

export const expressMemory = expressPouchDb(
  "memory",
  "nothing is durable, everything is lost when it ends; otherwise as over level",
);
