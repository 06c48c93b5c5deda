/** A server that speaks HTTP, as an end of a migration. */
import { CouchError } from "../../../protocol/errors.js";
import { parseSecurity } from "../../../protocol/security.js";
import { scanBulkGet } from "../../documents/json/scan-answers.js";
import { isObject, type UrlEndpoint } from "../endpoint.js";
import type { Source, Target, WantedRevisions } from "../peer.js";
import { Connection, type ConnectionOptions } from "../remote/connection.js";
import { RemoteSource } from "../remote/remote-source.js";
import { RemoteTarget } from "../remote/remote-target.js";
import type { ReplicationOptions } from "../replication.js";
import {
  type AttachmentList,
  attachmentList,
  type DatabaseCounts,
  type DatabaseSettings,
  type ServerEnd,
} from "./server-end.js";

const defaultRevsLimit = 1000;

export class RemoteServer implements ServerEnd {
  readonly #endpoint: UrlEndpoint;
  readonly #options: ConnectionOptions;
  readonly #server: Connection;

  constructor(endpoint: UrlEndpoint, options: ConnectionOptions) {
    this.#endpoint = endpoint;
    this.#options = options;
    this.#server = new Connection(endpoint, options);
  }

  get url(): string {
    return this.#endpoint.url;
  }

  async names(signal: AbortSignal): Promise<readonly string[]> {
    const names = await this.#server.askJson({ method: "GET", path: "_all_dbs", signal });
    if (Array.isArray(names) && names.every((name) => typeof name === "string")) return names;
    throw new CouchError("replication_error", `${this.url} answered _all_dbs with something else`);
  }

  async settings(name: string, signal: AbortSignal): Promise<DatabaseSettings> {
    const [info, security, limit] = await Promise.all([
      this.#json(name, "", signal),
      this.#json(name, "_security", signal),
      this.#json(name, "_revs_limit", signal).catch(() => defaultRevsLimit),
    ]);
    const props = isObject(info) ? info["props"] : undefined;
    return {
      partitioned: isObject(props) && props["partitioned"] === true,
      security: parseSecurity(isObject(security) ? security : {}),
      revsLimit: typeof limit === "number" ? limit : defaultRevsLimit,
    };
  }

  async counts(name: string, signal: AbortSignal): Promise<DatabaseCounts> {
    const info = await this.#json(name, "", signal);
    const { doc_count, doc_del_count } = isObject(info) ? info : {};
    return { documents: Number(doc_count), deletedDocuments: Number(doc_del_count ?? 0) };
  }

  async prepare(name: string, settings: DatabaseSettings, signal: AbortSignal): Promise<void> {
    const path = encodeURIComponent(name);
    const query = settings.partitioned ? "?partitioned=true" : "";
    const made = await this.#server.ask({ method: "PUT", path: `${path}${query}`, signal });
    // System databases are there already, and cannot be made.
    if (made.status >= 300 && made.status !== 412 && !name.startsWith("_")) throw this.#server.refusal(made);
    if (name.startsWith("_")) return;
    await this.#put(`${path}/_security`, settings.security, signal);
    if (settings.revsLimit !== defaultRevsLimit) await this.#put(`${path}/_revs_limit`, settings.revsLimit, signal);
  }

  source(name: string, options: ReplicationOptions): Source {
    return new RemoteSource(this.#database(name), options);
  }

  target(name: string, _options: ReplicationOptions): Target {
    return new RemoteTarget(this.#database(name));
  }

  async attachments(
    name: string,
    wanted: readonly WantedRevisions[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, AttachmentList>> {
    const docs = wanted.flatMap(({ id, revs }) => revs.map((rev) => ({ id, rev })));
    const reply = await this.#database(name).ask({
      method: "POST",
      path: "_bulk_get",
      contentType: "application/json",
      body: Buffer.from(JSON.stringify({ docs })),
      signal,
    });
    if (reply.status >= 300) throw this.#server.refusal(reply);
    const lists = new Map<string, AttachmentList>();
    for (const { revisions } of scanBulkGet(reply.bytes)) {
      for (const revision of revisions) {
        if (!("document" in revision)) continue;
        const { _id, _rev, _attachments } = revision.document.special;
        if (!isObject(_attachments)) continue;
        const list = Object.entries(_attachments).map(([attachment, stub]) => {
          const { digest, length } = isObject(stub) ? stub : {};
          return { name: attachment, digest: String(digest), length: Number(length) };
        });
        if (list.length > 0) lists.set(`${_id}\0${_rev}`, attachmentList(list));
      }
    }
    return lists;
  }

  #database(name: string): Connection {
    const url = `${this.#endpoint.url}${encodeURIComponent(name)}/`;
    return new Connection({ ...this.#endpoint, url }, this.#options);
  }

  async #json(name: string, path: string, signal: AbortSignal): Promise<unknown> {
    return await this.#database(name).askJson({ method: "GET", path, signal });
  }

  async #put(path: string, value: unknown, signal: AbortSignal): Promise<void> {
    const body = Buffer.from(JSON.stringify(value));
    const reply = await this.#server.ask({ method: "PUT", path, contentType: "application/json", body, signal });
    if (reply.status >= 300) throw this.#server.refusal(reply);
  }
}
