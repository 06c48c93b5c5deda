import assert from "node:assert/strict";
import { residentBytes } from "../../helpers/process-facts.js";
import { RowRunner } from "./run-row.js";
import { rowsFor, type Table } from "./table.js";

const rounds = 3;
/** Bytes. Hundreds of requests that leave a hundred kilobytes each are beyond it. */
const allowed = 48 * 2 ** 20;

/** All that is refused, again and again: a server that keeps something of each refusal grows by it. */
export function again(tables: readonly Table[]): Table {
  return {
    family: "again",
    scenarios: [
      {
        name: "memory does not grow with the number of refusals",
        needs: "process",
        async run(world) {
          await world.process.restart();
          const runner = await RowRunner.over(world);
          const rows = tables
            .flatMap((table) => rowsFor(world, table))
            // Log-ins that fail are counted: after some of them the answer is another one.
            .filter(({ writes, status }) => !writes && status !== 401);
          const sizes: number[] = [];
          for (let round = 0; round < rounds; round++) {
            for (const row of rows) assert.deepEqual(await runner.run(row), [], row.name);
            sizes.push(residentBytes(world.process.pid) ?? 0);
          }
          runner.close();
          // What is kept of each refusal shows in every round; what a collector has not got round to shows in one.
          const growths = sizes.slice(1).map((size, round) => size - (sizes[round] as number));
          const megabytes = sizes.map((size) => Math.round(size / 2 ** 20)).join(", ");
          assert.ok(Math.min(...growths) < allowed, `MB after each of ${rounds} rounds: ${megabytes}`);
        },
      },
    ],
  };
}
