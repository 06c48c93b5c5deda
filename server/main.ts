#!/usr/bin/env -S node --min-semi-space-size=16
/**
 * The `settee` command. The young generation begins at 16 MB instead of 1 MB: chunks of uploads die in it, where they would otherwise
 * be promoted and cost a full collection every few uploads (half the processor time of large attachments).
 */
import { type Command, UsageError } from "./commands/command.js";
import { design } from "./commands/design.js";
import { keys } from "./commands/keys.js";
import { migrate } from "./commands/migrate.js";
import { serve } from "./commands/serve.js";
import { ConfigError } from "./config.js";
import { TemplateError } from "./gateway/design-docs/problem.js";
import { StoreUnavailable } from "./storage/level-store.js";

const commands: Readonly<Record<string, Command>> = { serve, design, keys, migrate };

const usage = `settee [COMMAND] [--help]

${Object.values(commands)
  .map((command) => `  ${command.usage}\n`)
  .join("\n")}`;

/** Without a command it serves. */
async function main([first, ...rest]: readonly string[]): Promise<number | undefined> {
  if (first === "--help" || rest.includes("--help")) {
    process.stdout.write(usage);
    return 0;
  }
  const isNamed = first !== undefined && !first.startsWith("-");
  const command = isNamed ? (Object.hasOwn(commands, first) ? commands[first] : undefined) : serve;
  if (!command) throw new UsageError(`There is no command ${first}.`);
  return await command.run(isNamed || first === undefined ? rest : [first, ...rest]);
}

main(process.argv.slice(2)).then(
  (code) => {
    if (code !== undefined) process.exitCode = code;
  },
  (error: Error) => {
    if (error instanceof UsageError || isArgumentError(error)) {
      process.stderr.write(`${[error.message, usage].filter((part) => part !== "").join("\n\n")}`);
      process.exit(2);
    }
    const told =
      [ConfigError, StoreUnavailable, TemplateError].some((kind) => error instanceof kind) || isListenError(error);
    process.stderr.write(`settee: ${told ? error.message : (error.stack ?? String(error))}\n`);
    process.exit(1);
  },
);

/** Of `parseArgs`. */
function isArgumentError(error: Error): boolean {
  return "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS");
}

/** An address that is taken or not ours is the operator's to mend, not a bug with a stack. */
function isListenError(error: Error): boolean {
  return "syscall" in error && error.syscall === "listen";
}
