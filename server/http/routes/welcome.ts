import { type Call, json, type Reply } from "../call.js";

/** The CouchDB whose behaviour clients may expect of us. */
const couchdbVersion = "3.5.0";
/** What it says of itself there; `quickjs` names the engine of design documents' functions. */
const features = ["quickjs", "access-ready", "partitioned", "pluggable-storage-engines", "reshard", "scheduler"];

/** `GET /`: PouchDB and replicators know a server by its `uuid`. */
export function welcome({ services: { uuid, version } }: Call): Reply {
  return json({
    couchdb: "Welcome",
    version: couchdbVersion,
    git_sha: "settee",
    uuid,
    features,
    vendor: { name: "Settee", version },
  });
}
