/**
 * `npm start`: install what is missing, build what has changed, serve. The server runs in this very process, so that a
 * signal reaches it without anybody who would have to pass it on.
 */
import { chdir } from "node:process";
import { ensureInstalled } from "./ensure-installed.mjs";
import { repositoryRoot } from "./repository-root.mjs";

ensureInstalled();
const { compile } = await import("./steps.mjs");
if (!compile()) process.exit(1);
chdir(repositoryRoot);
process.setSourceMapsEnabled(true);
const main = new URL("../dist/server/main.js", import.meta.url);
process.argv = [process.argv[0], main.pathname, "serve", ...process.argv.slice(2)];
await import(main.href);
