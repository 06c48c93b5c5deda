/** `node kill-soak.js [--kills 50] [--seed N] [--peer settee|express-level|express-memory]`: the long version. */
import { parseArgs } from "node:util";
import { type ExpressStore, expressPouchDbCommand } from "../bench/peers/express-pouchdb.js";
import { ServerProcess } from "../helpers/server-process.js";
import { adminAuthorization, startSettee } from "../helpers/settee-process.js";
import { killSoak } from "./soak.js";

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "50" },
    seed: { type: "string", default: String(Date.now() % 2 ** 31) },
    peer: { type: "string", default: "settee" },
  },
});
const kills = Number(values.kills);
const seed = Number(values.seed);
console.log(`${kills} kills of ${values.peer}, seed ${seed}`);

const server = values.peer === "settee" ? await startSettee() : await startExpress(values.peer);
try {
  const access = values.peer === "settee" ? { authorization: adminAuthorization } : {};
  const report = await killSoak({ server, ...access, kills, seed, log: (line) => console.log(line) });
  console.log("every promise was kept:", report);
} catch (error) {
  console.error(error, `\nseed ${seed}\n--- the server's output ---\n${server.output}`);
  process.exitCode = 1;
} finally {
  await server.close();
}

function startExpress(peer: string): Promise<ServerProcess> {
  const store = peer.replace("express-", "") as ExpressStore;
  return ServerProcess.start(expressPouchDbCommand(store));
}
