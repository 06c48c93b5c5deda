/** The peer's process: `node express-pouchdb-server.js level|memory`, with PEER_PORT and PEER_DATA_DIR. */
import { createServer } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

const require = createRequire(import.meta.url);
const PouchDB = require("pouchdb");
const pouchDbServer = require("express-pouchdb");

const [store] = process.argv.slice(2);
const dataDir = process.env.PEER_DATA_DIR ?? ".";

function database() {
  if (store === "memory") {
    PouchDB.plugin(require("pouchdb-adapter-memory"));
    return PouchDB.defaults({ adapter: "memory" });
  }
  const LevelDOWN = require("leveldown");
  /** LevelDB as PouchDB opens it, but acknowledging a batch only when it is on disk. */
  function SyncedLevelDOWN(location: string) {
    const level = new LevelDOWN(location);
    const write = level._batch;
    level._batch = (operations: unknown, options: object, callback: unknown) =>
      write.call(level, operations, { ...options, sync: true }, callback);
    return level;
  }
  SyncedLevelDOWN.destroy = LevelDOWN.destroy;
  return PouchDB.defaults({ prefix: join(dataDir, "/"), db: SyncedLevelDOWN });
}

const app = pouchDbServer(database(), { mode: "minimumForPouchDB", overrideMode: { include: ["routes/find"] } });
const server = createServer(app);
server.listen(Number(process.env.PEER_PORT ?? 0), "127.0.0.1", () => {
  console.log(`listening on http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
process.on("SIGTERM", () => {
  server.close();
  server.closeAllConnections();
  process.exit(0);
});
