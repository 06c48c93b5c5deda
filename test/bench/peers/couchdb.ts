import { basic } from "../../helpers/http-client.js";
import { databasePrefix } from "../case-context.js";
import { LoadClient } from "../load/load-client.js";
import type { PeerKind, RunningPeer } from "./peer.js";

const configured = process.env.PEER_COUCHDB_URL;

/** Any CouchDB: `PEER_COUCHDB_URL=http://admin:password@127.0.0.1:5984`. The benchmark removes its databases after. */
export const couchdb: PeerKind = {
  id: "couchdb",
  label: "CouchDB",
  note: "an Apache CouchDB as it was found at PEER_COUCHDB_URL, with HTTP Basic on every request",
  start: configured ? () => Promise.resolve(runningCouchDb(configured)) : undefined,
};

function runningCouchDb(text: string): RunningPeer {
  const { origin, username, password } = new URL(text);
  const auth = { username: decodeURIComponent(username), password: decodeURIComponent(password) };
  const target = { url: origin, authorization: username ? basic(auth.username, auth.password) : undefined };
  return {
    target,
    ...(username ? { auth } : {}),
    dataDir: undefined,
    residentBytes: () => undefined,
    openFiles: () => undefined,
    restart: () => Promise.reject(new Error("not ours to restart")),
    async close() {
      const load = new LoadClient(target);
      const names: readonly string[] = (await load.ask("GET", "/_all_dbs")).json();
      const ours = names.filter((name) => name.startsWith(databasePrefix));
      for (const name of ours) await load.ask("DELETE", `/${name}`);
      load.close();
    },
  };
}
