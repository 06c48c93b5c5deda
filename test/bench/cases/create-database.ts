import { deepEqual } from "node:assert/strict";
import { type BenchCase, rateOf } from "../bench-case.js";

const perRound = 1000;

export const createDatabase: BenchCase = {
  id: "create-database",
  rows: [{ id: "create-database", label: "create database, one after the other", unit: "databases/s", goal: 1000 }],
  async run({ load, median, newDatabasePath, roundTime }) {
    const created: string[] = [];
    const rate = await median(async () => {
      const paths = Array.from({ length: perRound }, newDatabasePath);
      const requests = paths.map((path) => load.prepare("PUT", path));
      const result = await load.run(requests, 1, roundTime);
      created.push(...paths.slice(0, result.sent));
      return rateOf(result);
    });
    const listed = new Set<string>((await load.ask("GET", "/_all_dbs")).json());
    deepEqual(
      created.filter((path) => !listed.has(path.slice(1))),
      [],
    );
    return { "create-database": rate };
  },
};
