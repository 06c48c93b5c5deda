/** What replications need of the layers above the replicator: who may do what, what a write must pass, and where this server is. */
import { networkInterfaces } from "node:os";
import { CouchError } from "../../protocol/errors.js";
import { type DatabaseName, parseDatabaseName } from "../../protocol/ids.js";
import { type Identity, isServerAdmin } from "../../protocol/security.js";
import type { IncomingRevision } from "../documents/incoming-revision.js";
import { ownDatabaseAlias } from "../gateway/access.js";
import type { LocalServices } from "../replicator/local/local-services.js";
import type { PeerServices } from "../replicator/peers.js";
import type { Outgoing } from "../replicator/remote/outgoing.js";
import { admitRevision, quotaOf } from "./quota.js";
import type { Services } from "./services.js";
import { admit, type WriteContext } from "./write-documents.js";

type Parts = Pick<Services, "access" | "databases" | "gateway" | "sandbox" | "config">;

/** @param listening the address that the server listens on, once it does */
export function replicationServices(
  parts: Parts,
  outgoing: Outgoing,
  listening: () => string | undefined,
): PeerServices {
  return {
    local: localServices(parts),
    outgoing,
    ownOrigins: () => ownOrigins(listening() ?? `http://${parts.config.host}:${parts.config.port}`),
    async identify(headers) {
      const { authorization, cookie } = headers;
      try {
        const { identity } = await parts.gateway.identify({ authorization, cookie, address: "127.0.0.1" });
        return identity.name === null ? undefined : identity;
      } catch (error) {
        if (error instanceof CouchError && error.error === "unauthorized") return undefined;
        throw error;
      }
    },
    mayGoOut: (identity) =>
      isServerAdmin(identity) || identity.roles.some((role) => parts.config.replicator.roles.includes(role)),
  };
}

function localServices(parts: Parts): LocalServices {
  const { access, databases, sandbox } = parts;
  return {
    async open(identity, name, need) {
      const target = name === ownDatabaseAlias ? name : parseDatabaseName(name);
      return (await access.open(identity, target, need)).database;
    },
    async create(identity, name, { partitioned }) {
      const parsed: DatabaseName = parseDatabaseName(name);
      if (databases.exists(parsed)) throw new CouchError("file_exists");
      access.check(identity, "server-admin");
      await databases.create(parsed, { partitioned });
    },
    admit(database, identity: Identity, revision) {
      const context = { database, identity, services: parts };
      const admitted = admit(context, revision);
      // Server administrators have no quota, and most replications are theirs: they are spared the promise.
      return isServerAdmin(identity) ? admitted : withinQuota(context, admitted);
    },
    sandbox,
    limits: () => parts.config.limits,
  };
}

/** What a replication brings counts like any other write. @throws CouchError document_too_large, insufficient_storage */
async function withinQuota(
  context: WriteContext,
  admitted: IncomingRevision | Promise<IncomingRevision>,
): Promise<IncomingRevision> {
  const revision = await admitted;
  const quota = await quotaOf(context);
  if (quota) admitRevision(quota, context.database, revision)();
  return revision;
}

/** Every origin by which this machine can reach the server; the first is the one that it shows. */
function ownOrigins(listening: string): readonly string[] {
  const { protocol, hostname, port, origin } = new URL(listening);
  const at = (host: string): string =>
    new URL(`${protocol}//${host}:${port || (protocol === "https:" ? 443 : 80)}`).origin;
  const loopback = ["127.0.0.1", "localhost", "[::1]"].map(at);
  if (hostname === "0.0.0.0" || hostname === "[::]") {
    const addresses = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
    return [
      ...loopback,
      ...addresses.map(({ address, family }) => at(family === "IPv6" ? `[${address.split("%")[0]}]` : address)),
    ];
  }
  return loopback.includes(origin) ? [origin, ...loopback] : [origin];
}
