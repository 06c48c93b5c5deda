/** The data directory of this process as an end of a migration: the operator's own, past all permissions. */
import { CouchError } from "../../../protocol/errors.js";
import { generationOf, hashOf, parseDatabaseName, type UserName } from "../../../protocol/ids.js";
import type { Identity } from "../../../protocol/security.js";
import type { Database } from "../../documents/database.js";
import type { Databases } from "../../documents/databases.js";
import { findRevision } from "../../documents/revisions/tree.js";
import type { LocalEnd } from "../local/local-peer.js";
import type { LocalServices } from "../local/local-services.js";
import { LocalSource } from "../local/local-source.js";
import { LocalTarget } from "../local/local-target.js";
import type { Source, Target, WantedRevisions } from "../peer.js";
import type { ReplicationOptions } from "../replication.js";
import {
  type AttachmentList,
  attachmentList,
  type DatabaseCounts,
  type DatabaseSettings,
  type ServerEnd,
} from "./server-end.js";

const operator: Identity = { name: "operator" as UserName, roles: ["_admin"], method: "default" };

export class LocalServer implements ServerEnd {
  readonly url: string;
  readonly #databases: Databases;
  readonly #services: LocalServices;

  constructor(databases: Databases, services: LocalServices, url: string) {
    this.#databases = databases;
    this.#services = services;
    this.url = url;
  }

  async names(_signal: AbortSignal): Promise<readonly string[]> {
    const all: string[] = [];
    for await (const names of this.#databases.names()) all.push(...names);
    return all;
  }

  async settings(name: string, _signal: AbortSignal): Promise<DatabaseSettings> {
    const database = await this.#open(name);
    return { partitioned: database.partitioned, security: database.security(), revsLimit: database.revsLimit() };
  }

  async counts(name: string, _signal: AbortSignal): Promise<DatabaseCounts> {
    const { documents, deletedDocuments } = (await this.#open(name)).log.committed.counters;
    return { documents, deletedDocuments };
  }

  async prepare(name: string, settings: DatabaseSettings, _signal: AbortSignal): Promise<void> {
    const { partitioned, security, revsLimit } = settings;
    try {
      await this.#databases.create(parseDatabaseName(name), { partitioned });
    } catch (error) {
      if (!(error instanceof CouchError && error.error === "file_exists")) throw error;
    }
    // Who may see the server's own databases is for this server to say.
    if (name.startsWith("_")) return;
    const database = await this.#open(name);
    await database.setSecurity(security);
    if (revsLimit !== database.revsLimit()) await database.setRevsLimit(revsLimit);
  }

  source(name: string, options: ReplicationOptions): Source {
    return new LocalSource(this.#end(name), options);
  }

  target(name: string, _options: ReplicationOptions): Target {
    return new LocalTarget(this.#end(name));
  }

  async attachments(
    name: string,
    wanted: readonly WantedRevisions[],
    _signal: AbortSignal,
  ): Promise<ReadonlyMap<string, AttachmentList>> {
    const database = await this.#open(name);
    const lists = new Map<string, AttachmentList>();
    for (const { id, revs } of wanted) {
      const document = database.find(id);
      for (const rev of document ? revs : []) {
        const index = findRevision(document?.record.tree ?? [], generationOf(rev), hashOf(rev));
        const value = document && index >= 0 ? database.value(document, index) : undefined;
        if (value && value.attachments.length > 0) lists.set(`${id}\0${rev}`, attachmentList(value.attachments));
      }
    }
    return lists;
  }

  #open(name: string): Promise<Database> {
    return this.#databases.open(parseDatabaseName(name));
  }

  #end(name: string): LocalEnd {
    const url = `${this.url}${encodeURIComponent(name)}/`;
    return { services: this.#services, identity: operator, trusted: true, name, url };
  }
}
