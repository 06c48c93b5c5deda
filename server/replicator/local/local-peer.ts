/** A database of this server as an end of a replication: what source and target have in common. */
import { CouchError } from "../../../protocol/errors.js";
import type { Identity } from "../../../protocol/security.js";
import type { Database } from "../../documents/database.js";
import { scanDocument } from "../../documents/json/json-text.js";
import type { Peer, PeerInfo } from "../peer.js";
import type { LocalServices } from "./local-services.js";

export interface LocalEnd {
  readonly services: LocalServices;
  readonly identity: Identity;
  /** Writes what it is given past validation: the operator moves data as it is. */
  readonly trusted?: boolean;
  readonly name: string;
  /** As it is shown. */
  readonly url: string;
}

export class LocalPeer implements Peer {
  readonly url: string;
  protected readonly end: LocalEnd;
  readonly #need: "read" | "write";

  constructor(end: LocalEnd, need: "read" | "write") {
    this.end = end;
    this.url = end.url;
    this.#need = need;
  }

  /**
   * Asked for anew with every piece of work: permissions change while a replication lives, and a database that nobody holds can leave
   * the memory.
   */
  protected async database(): Promise<Database> {
    const { services, identity, name, url } = this.end;
    try {
      return await services.open(identity, name, this.#need);
    } catch (error) {
      if (error instanceof CouchError && isMissing(error)) throw couldNotOpen(url);
      throw error;
    }
  }

  async info(_signal: AbortSignal): Promise<PeerInfo> {
    const database = await this.database();
    return { updateSeq: database.seqText(database.updateSeq) };
  }

  async readLocal(id: string, _signal: AbortSignal): Promise<Readonly<Record<string, unknown>> | undefined> {
    const local = (await this.database()).findLocal(id);
    return local && { _id: `_local/${id}`, _rev: local.rev, ...JSON.parse(local.body.toString()) };
  }

  async writeLocal(id: string, document: Readonly<Record<string, unknown>>, _signal: AbortSignal): Promise<string> {
    const database = await this.database();
    const { body } = scanDocument(Buffer.from(JSON.stringify(document)));
    return await database.writeLocal(id, body, document["_rev"] as string | undefined);
  }
}

function isMissing({ error }: CouchError): boolean {
  return error === "not_found" || error === "illegal_database_name" || error === "database_name_too_long";
}

export function couldNotOpen(url: string): CouchError {
  return new CouchError("db_not_found", `could not open ${url}`);
}
