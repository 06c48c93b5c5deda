/** The one arrow between the folders, as a table. */
import { importsOf, resolved, type SourceFile } from "./source-files.js";

/** Each may import from itself and from those before it. */
const order = [
  ["protocol"],
  ["storage", "sandbox"],
  ["documents"],
  ["query"],
  ["replicator"],
  ["backend"],
  ["gateway"],
  ["jobs"],
  // Before `http`, whose handlers read settings and write to the log.
  ["config"],
  ["http"],
  ["main"],
] as const;

type Layer = (typeof order)[number][number];

/** Packages and built-in modules that one folder alone may use, and why. */
const reserved: Readonly<Record<string, { readonly only: string; readonly why: string }>> = {
  level: { only: "server/storage/", why: "everything on disk goes through the store of server/storage/store.ts" },
  "classic-level": {
    only: "server/storage/",
    why: "everything on disk goes through the store of server/storage/store.ts",
  },
  fastify: { only: "server/http/", why: "handlers get a Call and give a Reply, both of server/http/call.ts" },
};

/** Wherever in `server/` they stand. */
const banned: Readonly<Record<string, string>> = {
  child_process: "the server starts no programs: code of others runs in server/sandbox, our own in worker threads",
  "node:child_process":
    "the server starts no programs: code of others runs in server/sandbox, our own in worker threads",
};

/** What is wrong with the imports of `file`, a sentence each that says what to import instead. */
export function violations(file: SourceFile): readonly string[] {
  return importsOf(file).flatMap((specifier) => {
    const reason = specifier.startsWith(".") ? relative(file, specifier) : packaged(file, specifier);
    return reason === undefined ? [] : [`${file.path} imports ${specifier}: ${reason}.`];
  });
}

function relative({ path }: SourceFile, specifier: string): string | undefined {
  const target = resolved(path, specifier);
  if (path.startsWith("client/")) {
    const isAllowed = target.startsWith("client/") || target.startsWith("protocol/");
    return isAllowed ? undefined : "a client knows the wire and nothing else; import from protocol/";
  }
  const from = layerOf(path);
  const to = layerOf(target);
  if (to === undefined) return "that is no folder of the server; import from protocol/ or server/";
  if (from === undefined || from === to) return undefined;
  const allowed = below(from);
  if (allowed.includes(to)) return undefined;
  return `${from} lies below ${to} or beside it; import from ${listed(allowed)}, or let ${to} hand it in`;
}

function packaged({ path }: SourceFile, specifier: string): string | undefined {
  if (path.startsWith("protocol/") && specifier !== "zod") {
    return "protocol is read by browsers and servers alike; import from protocol/ or zod";
  }
  if (path.startsWith("server/") && Object.hasOwn(banned, specifier)) return banned[specifier];
  const rule = Object.hasOwn(reserved, specifier) ? reserved[specifier] : undefined;
  if (!rule || path.startsWith(rule.only)) return undefined;
  return `only ${rule.only} may; ${rule.why}`;
}

/** Files that lie directly in `server/`, and commands, build the parts and come last; settings and the log are what they begin with. */
function layerOf(path: string): Layer | undefined {
  const [top, folder = "", ...rest] = path.split("/");
  if (top === "protocol") return "protocol";
  if (top !== "server") return undefined;
  if (/^(config|logging)(\.ts)?$/.test(folder)) return "config";
  return rest.length === 0 || folder === "commands" ? "main" : order.flat().find((layer) => layer === folder);
}

function below(layer: Layer): readonly Layer[] {
  const at = order.findIndex((step) => (step as readonly Layer[]).includes(layer));
  return order.slice(0, at).flat();
}

function listed(layers: readonly Layer[]): string {
  if (layers.length === 0) return "nowhere else";
  return layers.map((layer) => (layer === "protocol" ? layer : `server/${layer}`)).join(", ");
}
