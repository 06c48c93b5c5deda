import type { RealmTools } from "./tools.js";

/**
 * CommonJS modules that stand as strings in the design document: `require("views/lib/money")` is the text at
 * `views.lib.money`; a path that starts with `.` or `..` is relative to the module that asks. As in CouchDB a module
 * runs once per realm, and a circle sees what is exported so far.
 */
export function createRequire(tools: RealmTools, designDoc: object): (path: string) => unknown {
  interface Module {
    readonly id: string;
    exports: unknown;
  }
  const loaded = new Map<string, Module>();

  const fail = (words: string): never => {
    const error = new Error(words);
    error.name = "invalid_require_path";
    throw error;
  };

  const resolve = (path: string, folder: readonly string[]): string[] => {
    const names = path.split("/");
    const found = names[0] === "." || names[0] === ".." ? [...folder] : [];
    for (const name of names) {
      if (name === ".") continue;
      if (name !== "..") found.push(name);
      else if (found.pop() === undefined) fail(`Object has no parent: ${path}`);
    }
    return found;
  };

  const sourceOf = (names: readonly string[]): string => {
    let current: unknown = designDoc;
    for (const name of names) {
      if (typeof current !== "object" || current === null || !Object.hasOwn(current, name)) {
        fail(`Object has no property "${name}": ${names.join("/")}`);
      }
      current = (current as Record<string, unknown>)[name];
    }
    return typeof current === "string" ? current : fail(`Must require a JavaScript string, not: ${typeof current}`);
  };

  const requireFrom =
    (folder: readonly string[]) =>
    (path: string): unknown => {
      const names = resolve(String(path), folder);
      const id = names.join("/");
      const known = loaded.get(id);
      if (known) return known.exports;
      const run = tools.evaluate(`(function (module, exports, require) {${sourceOf(names)}\n})`);
      const module: Module = { id, exports: {} };
      loaded.set(id, module);
      try {
        tools.apply(run as (...args: unknown[]) => unknown, globalThis, [
          module,
          module.exports,
          requireFrom(names.slice(0, -1)),
        ]);
      } catch (thrown) {
        loaded.delete(id);
        throw thrown;
      }
      return module.exports;
    };

  return requireFrom([]);
}
