/** Runs tables against a server: of each the rows first, one after the other, then the scenarios. */
import type { ServerProcess } from "../../helpers/server-process.js";
import { allTables } from "./all-tables.js";
import { RowRunner } from "./run-row.js";
import { rowsFor, scenariosFor } from "./table.js";
import { World } from "./world.js";

export interface RunTablesOptions {
  /** With an administrator's name and password in it. */
  readonly url: string;
  readonly process?: ServerProcess;
  /** Runs only what has this in its name. */
  readonly only?: string | undefined;
  readonly onResult?: (result: TableResult) => void;
}

export interface TableResult {
  /** `family/name`. */
  readonly name: string;
  /** What is wrong; none: it is as it must be. */
  readonly complaints: readonly string[];
}

export async function runTables(options: RunTablesOptions): Promise<readonly TableResult[]> {
  const { only = "", onResult } = options;
  const world = await World.open(options);
  const results: TableResult[] = [];
  const tell = (name: string, complaints: readonly string[]): void => {
    results.push({ name, complaints });
    onResult?.({ name, complaints });
  };
  try {
    for (const table of allTables) {
      const isWanted = ({ name }: { readonly name: string }): boolean => `${table.family}/${name}`.includes(only);
      const rows = rowsFor(world, table).filter(isWanted);
      const runner = rows.length > 0 ? await RowRunner.over(world) : undefined;
      for (const row of rows) tell(`${table.family}/${row.name}`, (await runner?.run(row)) ?? []);
      runner?.close();
      for (const scenario of scenariosFor(world, table).filter(isWanted)) {
        tell(`${table.family}/${scenario.name}`, await complaintsOf(() => scenario.run(world)));
      }
    }
    return results;
  } finally {
    await world.close();
  }
}

async function complaintsOf(run: () => Promise<void>): Promise<readonly string[]> {
  try {
    await run();
    return [];
  } catch (error) {
    return [error instanceof Error ? (error.stack ?? error.message) : String(error)];
  }
}
