import { CouchError } from "../../../../protocol/errors.js";
import { parseDatabaseName } from "../../../../protocol/ids.js";
import { type Call, type Handler, json, type Reply } from "../../call.js";
import { nodeName } from "../../node-name.js";

/** Answers for this node, by its name or as `_local`. @throws CouchError not_found for any other */
export function ofThisNode(handler: Handler): Handler {
  return (call) => {
    const { node } = call.params;
    if (node === "_local" || node === nodeName) return handler(call);
    throw new CouchError("not_found", `no such node: ${node}`);
  };
}

/** `GET /_node/_local` */
export function describeNode(): Reply {
  return json({ name: nodeName });
}

/** `GET /_node`. @throws CouchError always */
export function incompleteNodePath(): never {
  throw new CouchError("bad_request", "Incomplete path to _node request");
}

/** What CouchDB takes for a database of that node alone. @throws CouchError always */
export function unknownOfNode({ params }: Call): never {
  parseDatabaseName((params["*"] ?? "").split("/", 1)[0] as string);
  throw new CouchError("not_found", "Database does not exist.");
}

/** `POST /_node/_local/_restart`. @throws CouchError always */
export function refuseRestart(): never {
  throw new CouchError("forbidden", "Settee is started by your system's service manager: restart it there.");
}

/** `GET /_node/_local/_smoosh/status`: compactions. */
export function smooshStatus({ services: { databases, metrics } }: Call): Reply {
  const active = databases.tasks.list().filter(({ type }) => type === "database_compaction").length;
  return json({ channels: { database_compaction: { waiting: metrics.waitingCompactions(), active } } });
}

/** `GET /_node/_local/_versions` */
export function versions(): Reply {
  const { node, v8, icu, cldr, unicode } = process.versions;
  return json({
    javascript_engine: { name: "quickjs" },
    node: { version: node, v8_version: v8 },
    collation_driver: {
      name: "libicu",
      library_version: icu,
      collator_version: cldr,
      collation_algorithm_version: unicode,
    },
  });
}
