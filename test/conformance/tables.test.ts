/** A real Settee answers as the tables of conformance say. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type SetteeProcess, startSettee } from "../helpers/settee-process.js";
import { allTables } from "./tables/all-tables.js";
import { RowRunner } from "./tables/run-row.js";
import { World } from "./tables/world.js";

describe("tables of conformance", () => {
  let settee: SetteeProcess;
  let world: World;
  before(async () => {
    settee = await startSettee();
    world = await World.open({ url: settee.adminUrl, process: settee });
  });
  after(async () => {
    await world?.close();
    await settee?.close();
  });

  for (const { family, rows = [], scenarios = [] } of allTables) {
    describe(family, () => {
      let runner: RowRunner;
      before(async () => {
        runner = await RowRunner.over(world);
      });
      after(() => runner?.close());

      for (const row of rows) it(row.name, async () => assert.deepEqual(await runner.run(row), []));
      for (const { name, run } of scenarios) it(name, () => run(world));
    });
  }
});
