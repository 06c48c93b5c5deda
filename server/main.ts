#!/usr/bin/env -S node --min-semi-space-size=16
/**
 * The `settee` command. The young generation begins at 16 MB instead of 1 MB: chunks of uploads die in it, where they would otherwise
 * be promoted and cost a full collection every few uploads (half the processor time of large attachments).
 */
import { parseArgs } from "node:util";
import { ConfigError, loadConfig } from "./config.js";
import { Settee } from "./settee.js";
import { StoreUnavailable } from "./storage/level-store.js";

const usage = `settee serve [--new-epoch]

  serve         serves until SIGTERM or SIGINT (settings: settee.config.json and SETTEE_... variables)
  --new-epoch   the data directory was restored from a backup: clients that saw more than it holds go back to what it holds
`;

async function main(): Promise<void> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { "new-epoch": { type: "boolean", default: false }, help: { type: "boolean", default: false } },
  });
  const [command = "serve", ...rest] = positionals;
  if (values.help || command !== "serve" || rest.length > 0) {
    process.stdout.write(usage);
    process.exitCode = values.help ? 0 : 2;
    return;
  }
  await serve(values["new-epoch"]);
}

async function serve(newEpoch: boolean): Promise<void> {
  const settee = await Settee.create(loadConfig(process.env, process.cwd()), { newEpoch });
  stopOnSignals(settee);
  showMadeAdmin(settee);
  const url = await settee.listen();
  process.stdout.write(`Settee is listening on ${url}\n`);
}

/**
 * Past the log on purpose: this is for the person at the terminal, once, and for nobody who reads logs later. Before the server
 * listens, since a port that is taken must not lose the password.
 */
function showMadeAdmin({ madeAdmin }: Settee): void {
  if (!madeAdmin) return;
  const { name, password } = madeAdmin;
  process.stdout.write(
    `\n  First start. The administrator is ${name} with the password\n\n      ${password}\n\n  It is not shown again.\n\n`,
  );
}

function stopOnSignals(settee: Settee): void {
  let stopping = false;
  const stop = (signal: NodeJS.Signals): void => {
    // Somebody who asks twice does not want to wait.
    if (stopping) process.exit(1);
    stopping = true;
    settee.log.info({ signal }, "stopping");
    settee.close().then(
      () => process.exit(0),
      (error: unknown) => {
        settee.log.error({ err: error }, "stopping failed");
        process.exit(1);
      },
    );
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
}

main().catch((error: unknown) => {
  const told = error instanceof ConfigError || error instanceof StoreUnavailable || isListenError(error);
  process.stderr.write(`settee: ${told ? (error as Error).message : ((error as Error).stack ?? String(error))}\n`);
  process.exit(1);
});

/** An address that is taken or not ours is the operator's to mend, not a bug with a stack. */
function isListenError(error: unknown): boolean {
  return error instanceof Error && "syscall" in error && error.syscall === "listen";
}
