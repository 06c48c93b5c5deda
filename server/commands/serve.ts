import { parseArgs } from "node:util";
import { loadConfig } from "../config.js";
import { Settee } from "../settee.js";
import { type Command, UsageError } from "./command.js";

export const serve: Command = {
  usage: `serve [--new-epoch]
                serves until SIGTERM or SIGINT (settings: settee.config.json and SETTEE_... variables)
                --new-epoch: the data directory was restored from a backup; clients that saw more than it holds go back to what
                it holds`,
  async run(args) {
    const { positionals, values } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { "new-epoch": { type: "boolean", default: false } },
    });
    if (positionals.length > 0) throw new UsageError();
    const settee = await Settee.create(loadConfig(process.env, process.cwd()), { newEpoch: values["new-epoch"] });
    stopOnSignals(settee);
    showMadeAdmin(settee);
    const url = await settee.listen();
    process.stdout.write(`Settee is listening on ${url}\n`);
    return undefined;
  },
};

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
