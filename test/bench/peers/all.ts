import { couchdb } from "./couchdb.js";
import { expressLevel, expressMemory } from "./express-pouchdb.js";
import type { PeerKind } from "./peer.js";
import { settee } from "./settee.js";

/** In the order of the columns. */
export const allPeers: readonly PeerKind[] = [settee, expressLevel, expressMemory, couchdb];
