/** The steps that the commands of package.json are made of. Each tells what it does and returns whether it went well. */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { repositoryRoot } from "./repository-root.mjs";

const designDocs = join(repositoryRoot, "design-docs", "tsconfig.json");
const compiledFolders = ["protocol", "server", "client", "test"];
const compiledName = /\.(js|js\.map|d\.ts)$/;

/** Types and output in one pass; what has not changed is not looked at again. */
export function compile() {
  removeOrphans();
  return tool("typescript/bin/tsc", ["-p", "tsconfig.json"]);
}

export function checkTypes() {
  return tool("typescript/bin/tsc", ["-p", "tsconfig.json", "--noEmit"]);
}

/** Functions of design documents are compiled for another world: no Node, no DOM. */
export function checkDesignDocs() {
  return !existsSync(designDocs) || tool("typescript/bin/tsc", ["-p", designDocs, "--noEmit"]);
}

export function checkStyle() {
  return tool("@biomejs/biome/bin/biome", ["check", "--error-on-warnings", "."]);
}

/** Output whose source is gone would still be imported, and tests that were deleted would still run. */
function removeOrphans() {
  for (const folder of compiledFolders) {
    const output = join(repositoryRoot, "dist", folder);
    if (!existsSync(output)) continue;
    for (const file of readdirSync(output, { recursive: true })) {
      if (!compiledName.test(file)) continue;
      const source = join(repositoryRoot, folder, file.replace(compiledName, ""));
      if (!existsSync(`${source}.ts`) && !existsSync(`${source}.tsx`)) rmSync(join(output, file), { force: true });
    }
  }
}

/** Node's own path to the tool's file: nothing else of the machine can come between. */
function tool(file, args) {
  const { status, error } = spawnSync(process.execPath, [join(repositoryRoot, "node_modules", file), ...args], {
    cwd: repositoryRoot,
    stdio: "inherit",
  });
  if (error) console.error(error);
  return status === 0;
}
