import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { TemplateError } from "../gateway/design-docs/problem.js";
import { type Command, UsageError } from "./command.js";
import { checkFolder } from "./design-check/check-folder.js";
import { isAllRight, printChecked } from "./design-check/print.js";

const defaultFolder = "design-docs";

export const design: Command = {
  usage: `design check [FOLDER]
                compiles the templates of a folder (${defaultFolder}) and tries them with their samples; needs no server`,
  async run(args) {
    const { positionals } = parseArgs({ args: [...args], allowPositionals: true });
    const [command, folder = defaultFolder, ...rest] = positionals;
    if (command !== "check" || rest.length > 0) throw new UsageError();
    try {
      const checked = await checkFolder(resolve(folder));
      process.stdout.write(printChecked(checked, process.cwd()));
      return isAllRight(checked) ? 0 : 1;
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error;
      process.stderr.write(`${error.message}\n`);
      return 1;
    }
  },
};
