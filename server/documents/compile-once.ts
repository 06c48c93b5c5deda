import { createHash } from "node:crypto";
import { LRUCache } from "lru-cache";
import type { Compile } from "./design-document.js";

/** Sources; a digest each. */
const maxKnown = 10_000;

/**
 * Compiles what was not found to be a function before. Whether it is one is the same for every database, and a design document that
 * ten thousand databases have would otherwise be compiled ten thousand times. What does not compile is asked about again.
 */
export function compileOnce(): (compile: Compile) => Compile {
  const known = new LRUCache<string, true>({ max: maxKnown });
  return (compile) => async (sources) => {
    const digests = sources.map((source) => createHash("sha256").update(source).digest("base64"));
    const unknown = sources.filter((_, index) => known.get(digests[index] as string) === undefined);
    if (unknown.length === 0) return sources.map(() => null);
    const errors = new Map((await compile(unknown)).map((error, index) => [unknown[index] as string, error]));
    return sources.map((source, index) => {
      const error = errors.get(source) ?? null;
      if (!error) known.set(digests[index] as string, true);
      return error;
    });
  };
}
