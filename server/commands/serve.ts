import { parseArgs } from "node:util";
import { loadConfig } from "../config.js";
import { Settee } from "../settee.js";
import { type Command, UsageError } from "./command.js";
import { showMadeAdmin } from "./made-admin.js";

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
