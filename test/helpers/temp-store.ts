/** A data directory of its own for one test: `const { databases, database } = await openTestStore(t)`. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseDatabaseName } from "../../protocol/ids.js";
import type { Database } from "../../server/documents/database.js";
import { Databases, type DatabasesOptions } from "../../server/documents/databases.js";
import type { Validate } from "../../server/documents/validate.js";

/** What the helpers need of a test: `node:test`'s context has it. */
export interface Cleanup {
  after(release: () => void | Promise<void>): void;
}

/** A fresh directory, removed when the test is over. */
export function temporaryDirectory(t: Cleanup): string {
  const directory = newDirectory();
  t.after(() => removeDirectory(directory));
  return directory;
}

function newDirectory(): string {
  return mkdtempSync(join(tmpdir(), "settee-store-"));
}

function removeDirectory(directory: string): void {
  rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
}

/** For databases without validation functions: being asked at all is the failure. */
export const nothingToValidate: Validate = async () => {
  throw new Error("a database without design documents must not validate");
};

type OpenOptions = Partial<Omit<DatabasesOptions, "dataDir">>;

export class TestStore {
  readonly dataDir: string;
  databases: Databases;
  /** Database `notes`, made when the store was opened first. */
  database: Database;
  readonly #options: OpenOptions;
  #closed = false;

  private constructor(dataDir: string, options: OpenOptions, databases: Databases, database: Database) {
    this.dataDir = dataDir;
    this.#options = options;
    this.databases = databases;
    this.database = database;
  }

  static async open(t: Cleanup, options: OpenOptions = {}): Promise<TestStore> {
    const dataDir = newDirectory();
    let store: TestStore | undefined;
    // One hook for both: the runner promises no order between two, and files must not vanish under an open store.
    t.after(async () => {
      await store?.close();
      removeDirectory(dataDir);
    });
    const databases = await Databases.open({ dataDir, validate: nothingToValidate, ...options });
    store = new TestStore(dataDir, options, databases, await databases.create(parseDatabaseName("notes")));
    return store;
  }

  /** What a restart does; `options` are on top of those of the first opening. */
  async reopen(options: OpenOptions = {}): Promise<void> {
    await this.close();
    this.databases = await Databases.open({
      dataDir: this.dataDir,
      validate: nothingToValidate,
      ...this.#options,
      ...options,
    });
    this.#closed = false;
    this.database = await this.databases.open(parseDatabaseName("notes"));
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.databases.close();
  }
}

/** A world in one line; closed and removed when the test is over. */
export function openTestStore(t: Cleanup, options: OpenOptions = {}): Promise<TestStore> {
  return TestStore.open(t, options);
}
