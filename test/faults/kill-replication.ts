/** `node kill-replication.js [--kills 50] [--seed N]`: the long version. */
import { parseArgs } from "node:util";
import { replicationSoak } from "./replication-soak.js";

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "50" },
    seed: { type: "string", default: String(Date.now() % 2 ** 31) },
  },
});
const seed = Number(values.seed);
console.log(`${values.kills} kills, seed ${seed}`);
try {
  const report = await replicationSoak({ kills: Number(values.kills), seed, log: (line) => console.log(line) });
  console.log("nothing was lost, and nothing came twice:", report);
} catch (error) {
  console.error(error, `\nseed ${seed}`);
  process.exitCode = 1;
}
