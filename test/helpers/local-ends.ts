/** Databases of a store as ends of replications, without accounts or permissions. */
import { parseDatabaseName } from "../../protocol/ids.js";
import type { Identity } from "../../protocol/security.js";
import type { Databases } from "../../server/documents/databases.js";
import type { LocalEnd } from "../../server/replicator/local/local-peer.js";
import type { LocalServices } from "../../server/replicator/local/local-services.js";
import { LocalSource } from "../../server/replicator/local/local-source.js";
import { LocalTarget } from "../../server/replicator/local/local-target.js";
import { parseReplication, type Replication } from "../../server/replicator/replication.js";
import { type ReplicationId, replicationId } from "../../server/replicator/replication-id.js";
import { Session, type SessionParts } from "../../server/replicator/session.js";

export const administrator: Identity = { name: "admin" as Identity["name"], roles: ["_admin"], method: "default" };

export function localServices(databases: Databases, more: Partial<LocalServices> = {}): LocalServices {
  return {
    open: (_identity, name) => databases.open(parseDatabaseName(name)),
    create: async (_identity, name, options) => void (await databases.create(parseDatabaseName(name), options)),
    admit: (_database, _identity, revision) => revision,
    sandbox: {
      filter: async () => {
        throw new Error("there is no filter here");
      },
    },
    limits: () => ({ maxAttachmentSize: 1e9, maxDocumentSize: 8e6 }),
    ...more,
  };
}

export function localEnd(databases: Databases, name: string, services = localServices(databases)): LocalEnd {
  return { services, identity: administrator, name, url: `http://here/${name}/` };
}

export function replicationBetween(
  source: string,
  target: string,
  options: Readonly<Record<string, unknown>> = {},
): { readonly replication: Replication; readonly id: ReplicationId } {
  const replication = parseReplication({ source, target, ...options });
  return { replication, id: replicationId(replication, "0".repeat(32), undefined) };
}

/** What a session between two databases of the store is made of; a test may put something between. */
export function sessionParts(
  databases: Databases,
  source: string,
  target: string,
  options: Readonly<Record<string, unknown>> = {},
  services = localServices(databases),
): SessionParts {
  const { replication, id } = replicationBetween(source, target, options);
  return {
    source: new LocalSource(localEnd(databases, source, services), replication.options),
    target: new LocalTarget(localEnd(databases, target, services)),
    options: replication.options,
    id,
  };
}

export const never: AbortSignal = new AbortController().signal;

/** Replicates once, and gives what `_replicate` would answer. */
export async function replicateOnce(parts: SessionParts): Promise<Readonly<Record<string, unknown>>> {
  const session = await Session.open(parts, never);
  await session.catchUp(never);
  await session.checkpoint(never);
  return session.result();
}
