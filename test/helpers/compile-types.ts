import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { repositoryRoot } from "./repository-root.js";

const compiler = join(repositoryRoot, "node_modules", "typescript", "bin", "tsc");

/** What the compiler says of the project in a folder: nothing when it is content. */
export async function compileTypes(folder: string): Promise<string> {
  try {
    await promisify(execFile)(process.execPath, [compiler, "-p", folder, "--noEmit"]);
    return "";
  } catch (error) {
    return (error as { stdout: string }).stdout;
  }
}
