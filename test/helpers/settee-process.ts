/** A real Settee, as an operator starts it, for tests that look at it from outside. */
import { join } from "node:path";
import { repositoryRoot } from "./repository-root.js";
import { type ServerCommand, ServerProcess, type ServerProcessOptions } from "./server-process.js";

export const adminName = "admin";
export const adminPassword = "a-long-password-for-tests";
export const adminAuthorization = `Basic ${Buffer.from(`${adminName}:${adminPassword}`).toString("base64")}`;

export interface SetteeOptions extends ServerProcessOptions {
  /** Further settings, e.g. `{ SETTEE_SECRET: "..." }`; they win over the tests' own. */
  readonly settings?: Readonly<Record<string, string>>;
}

export interface SetteeProcess extends ServerProcess {
  /** The URL with the administrator's name and password in it, as nano and PouchDB take them. */
  readonly adminUrl: string;
}

/** Starts `settee serve` on a free port and, unless told otherwise, an empty directory. Call `close` afterwards. */
export async function startSettee(options: SetteeOptions = {}): Promise<SetteeProcess> {
  const server = await ServerProcess.start(setteeCommand(options.settings), options);
  const adminUrl = server.url.replace("//", `//${adminName}:${adminPassword}@`);
  return Object.assign(server, { adminUrl });
}

function setteeCommand(settings: Readonly<Record<string, string>> = {}): ServerCommand {
  // SETTEE_TEST_MAIN lets the same tests judge another build, e.g. an installed package.
  const main = process.env.SETTEE_TEST_MAIN ?? join(repositoryRoot, "dist", "server", "main.js");
  return {
    label: "settee",
    // As `npm start` and the command start it.
    nodeArguments: ["--min-semi-space-size=16", "--enable-source-maps", main, "serve"],
    environment: (port, dataDir) => ({
      SETTEE_HOST: "127.0.0.1",
      SETTEE_PORT: String(port),
      SETTEE_DATA_DIR: dataDir,
      SETTEE_ADMIN_NAME: adminName,
      SETTEE_ADMIN_PASSWORD: adminPassword,
      SETTEE_LOG_LEVEL: "warn",
      // Real costs would make every sign-up of a test take a noticeable part of a second.
      SETTEE_PASSWORD_ITERATIONS: "10",
      ...settings,
    }),
  };
}
