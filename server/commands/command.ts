/** A command of `settee`, a file each. */
export interface Command {
  /** How it is called, and what it does: a line or two of `settee --help`. */
  readonly usage: string;
  /** Resolves to the exit code; undefined leaves it to whatever the command has started. */
  run(args: readonly string[]): Promise<number | undefined>;
}

/** Told to whoever called it, with how it is used; exit code 2. */
export class UsageError extends Error {}
