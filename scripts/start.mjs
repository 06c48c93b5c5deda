/**
 * `npm start`: install what is missing, build what has changed, serve. The server runs in this very process: there is
 * nobody more who would have to pass signals on.
 */
import { chdir } from "node:process";
import { ensureInstalled } from "./ensure-installed.mjs";
import { repositoryRoot } from "./repository-root.mjs";

/** Milliseconds between two looks at who started us. */
const parentInterval = 500;

ensureInstalled();
const { compile } = await import("./steps.mjs");
if (!compile()) process.exit(1);
chdir(repositoryRoot);
process.setSourceMapsEnabled(true);
const main = new URL("../dist/server/main.js", import.meta.url);
process.argv = [process.argv[0], main.pathname, "serve", ...process.argv.slice(2)];
await import(main.href);
stopWithParent();

/**
 * Whoever stops `npm start` stops npm, which tells the shell that it started us with, which ends without telling us. A
 * server that nobody can find any more would hold the port and the data directory.
 */
function stopWithParent() {
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    process.kill(process.pid, "SIGTERM");
  }, parentInterval);
  watch.unref();
  // Ctrl-C reaches everybody at once, and a second signal would end the server in the middle of its stopping.
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => clearInterval(watch));
}
