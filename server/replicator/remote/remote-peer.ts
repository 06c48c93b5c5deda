/** A database elsewhere as an end of a replication: what source and target have in common. */
import { isDeepStrictEqual } from "node:util";
import { CouchError } from "../../../protocol/errors.js";
import { isObject } from "../endpoint.js";
import type { Peer, PeerInfo, PeerSeq } from "../peer.js";
import type { Connection } from "./connection.js";

export class RemotePeer implements Peer {
  protected readonly connection: Connection;

  constructor(connection: Connection) {
    this.connection = connection;
  }

  get url(): string {
    return this.connection.url;
  }

  async info(signal: AbortSignal): Promise<PeerInfo> {
    const info = await this.connection.askJson({ method: "GET", path: "", signal });
    // Whoever answers that is no database; a web site's page is one of many things that it could be.
    if (!isObject(info) || typeof info["db_name"] !== "string") {
      throw new CouchError("db_not_found", `could not open ${this.url}`);
    }
    return { updateSeq: (info["update_seq"] ?? 0) as PeerSeq };
  }

  async readLocal(id: string, signal: AbortSignal): Promise<Readonly<Record<string, unknown>> | undefined> {
    const reply = await this.connection.ask({ method: "GET", path: `_local/${id}`, signal });
    if (reply.status === 404) return undefined;
    if (reply.status >= 300) throw this.connection.refusal(reply);
    const document = this.connection.json(reply);
    return isObject(document) ? document : undefined;
  }

  async writeLocal(id: string, document: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<string> {
    const body = Buffer.from(JSON.stringify(document));
    const path = `_local/${id}`;
    const reply = await this.connection.ask({ method: "PUT", path, contentType: "application/json", body, signal });
    if (reply.status < 300) return (this.connection.json(reply) as { readonly rev: string }).rev;
    if (reply.status !== 409) {
      const { error, reason } = this.connection.refusal(reply);
      if (reply.status === 401 || reply.status === 403) {
        throw new CouchError(
          "forbidden",
          `The checkpoint cannot be written at ${this.url}: use_checkpoints can be false`,
        );
      }
      throw new CouchError(error, reason);
    }
    // Written by ourselves, and the answer was lost; or by another session, which the next one builds on.
    const there = await this.readLocal(id, signal);
    const { _id, _rev: rev, ...members } = (there ?? {}) as Record<string, unknown>;
    const { _rev, ...ours } = document;
    if (typeof rev !== "string" || rev === _rev) {
      throw new CouchError("replication_error", `The checkpoint cannot be written at ${this.url}`);
    }
    if (isDeepStrictEqual(members, JSON.parse(JSON.stringify(ours)))) return rev;
    return await this.writeLocal(id, { ...document, _rev: rev }, signal);
  }
}

/** A document's id as a path below its database. */
export function documentPath(id: string): string {
  return id.startsWith("_design/") ? `_design/${encodeURIComponent(id.slice(8))}` : encodeURIComponent(id);
}
