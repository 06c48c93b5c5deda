/** Runs tables against a server: of each the rows first, one after the other, then the scenarios. */
import type { ServerProcess } from "../../helpers/server-process.js";
import { allTables } from "./all-tables.js";
import { RowRunner } from "./run-row.js";
import type { Only, Row, Scenario, Table } from "./table.js";
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
      const runner = rows.length > 0 ? await seededRunner(world) : undefined;
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

/** The rows of a table that hold for this server. */
export function rowsFor(world: World, { rows = [] }: Table): readonly Row[] {
  return rows.filter((row) => isFor(world, row));
}

export function scenariosFor(world: World, { scenarios = [] }: Table): readonly Scenario[] {
  return scenarios.filter((each) => isFor(world, each) && (each.needs === undefined || world.ownsProcess));
}

function isFor(world: World, { only }: Only): boolean {
  return only === undefined || world.isSettee;
}

/** Over a database of its own, as `RowRunner` wants it. */
export async function seededRunner(world: World): Promise<RowRunner> {
  const database = await world.database();
  const data = Buffer.from("an attachment").toString("base64");
  // The one is stored compressed by both servers, the other as it is.
  const _attachments = { f: { content_type: "text/plain", data }, plain: { content_type: "image/x", data } };
  const [written] = await world.write(database, [
    { _id: "a", text: "seed", _attachments },
    { _id: "b" },
    { _id: "_local/l", text: "local" },
  ]);
  return new RowRunner(world, database, written?.rev ?? "");
}

async function complaintsOf(run: () => Promise<void>): Promise<readonly string[]> {
  try {
    await run();
    return [];
  } catch (error) {
    return [error instanceof Error ? (error.stack ?? error.message) : String(error)];
  }
}
