/** Installs the dependencies when, and only when, they are not the ones of package-lock.json. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { repositoryRoot } from "./repository-root.mjs";

const lockFile = join(repositoryRoot, "package-lock.json");
/** npm's own note of what it put there. */
const installedFile = join(repositoryRoot, "node_modules", ".package-lock.json");
/** The hash of the lock file that was looked at last: comparing package by package is for when it has changed. */
const stampFile = join(repositoryRoot, "node_modules", ".settee-installed");

export function ensureInstalled() {
  const hash = existsSync(lockFile) ? createHash("sha256").update(readFileSync(lockFile)).digest("hex") : undefined;
  if (!isInstalled(hash)) install(hash === undefined ? "install" : "ci");
  if (hash !== undefined && read(stampFile) !== hash) writeFileSync(stampFile, hash);
}

function isInstalled(hash) {
  const installedText = read(installedFile);
  if (hash === undefined || installedText === undefined) return false;
  if (read(stampFile) === hash) return true;
  const installed = JSON.parse(installedText).packages;
  const wanted = Object.entries(JSON.parse(readFileSync(lockFile, "utf8")).packages);
  // Optional ones are for other machines, or may have failed: npm left them out with reason.
  return wanted.every(
    ([path, { version, optional }]) => path === "" || optional || installed[path]?.version === version,
  );
}

function install(command) {
  console.log(`Installing the dependencies (npm ${command}) ...`);
  // Under npm its own file is known, which spares finding npm.cmd on Windows. The build needs the development part.
  const npm = process.env.npm_execpath;
  const [file, first] = npm ? [process.execPath, [npm]] : ["npm", []];
  const { status, error } = spawnSync(file, [...first, command, "--include=dev"], {
    cwd: repositoryRoot,
    stdio: "inherit",
    shell: !npm && process.platform === "win32",
  });
  if (status === 0) return;
  console.error(error ?? `npm ${command} failed.`);
  process.exit(1);
}

function read(file) {
  return existsSync(file) ? readFileSync(file, "utf8") : undefined;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) ensureInstalled();
