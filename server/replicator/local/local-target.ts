/** A database of this server that is replicated to. What is written passes what every ordinary write passes. */
import { CouchError } from "../../../protocol/errors.js";
import type { TakenContent } from "../../documents/attachments/intake.js";
import type { Database } from "../../documents/database.js";
import type { IncomingRevision } from "../../documents/incoming-revision.js";
import { type ParsedDocument, replicatedOrigin, toRevision } from "../../documents/parse-document.js";
import { PeerUnavailable } from "../failures.js";
import type { ChangedDocument, Refusal, StreamedRevision, Target, WantedRevisions } from "../peer.js";
import { type LocalEnd, LocalPeer } from "./local-peer.js";

/** Documents looked up before others get their turn. */
const turnSize = 500;
const noContents: ReadonlyMap<string, TakenContent> = new Map();

export class LocalTarget extends LocalPeer implements Target {
  constructor(end: LocalEnd) {
    super(end, "write");
  }

  async create(params: Readonly<Record<string, string>>, _signal: AbortSignal): Promise<void> {
    const { services, identity, name } = this.end;
    try {
      await services.create(identity, name, { partitioned: params["partitioned"] === "true" });
    } catch (error) {
      if (!(error instanceof CouchError && error.error === "file_exists")) throw error;
    }
  }

  async missing(changed: readonly ChangedDocument[], signal: AbortSignal): Promise<readonly WantedRevisions[]> {
    const database = await this.database();
    const wanted: WantedRevisions[] = [];
    for (const [index, { id, revs }] of changed.entries()) {
      if (index % turnSize === turnSize - 1) await new Promise(setImmediate);
      signal.throwIfAborted();
      const found = database.missing(id, revs);
      if (found) wanted.push({ id, revs: found.missing, ancestors: found.possibleAncestors });
    }
    return wanted;
  }

  async write(documents: readonly ParsedDocument[], _signal: AbortSignal): Promise<readonly Refusal[]> {
    const database = await this.database();
    const refusals: Refusal[] = [];
    const revisions: IncomingRevision[] = [];
    for (const document of documents) {
      const admitted = this.#admitted(database, document, noContents, refusals);
      // Most are admitted at once: a promise each would be a good part of the work.
      const revision = admitted instanceof Promise ? await admitted : admitted;
      if (revision) revisions.push(revision);
    }
    if (revisions.length > 0) refusals.push(...(await this.#write(database, revisions)));
    return refusals;
  }

  async writeStreamed({ document, parts }: StreamedRevision, _signal: AbortSignal): Promise<Refusal | undefined> {
    const database = await this.database();
    const limit = this.end.services.limits().maxAttachmentSize;
    const contents = new Map<string, TakenContent>();
    try {
      for (const { name, contentType, encoding, source } of document.attachments) {
        if (source.kind !== "inline") continue;
        contents.set(name, await database.takeAttachment(source.data, { contentType, encoding, limit }));
      }
      for await (const { follower, body } of parts) {
        const { name, contentType, encoding, source } = follower;
        const content = await database.takeAttachment(body, {
          contentType,
          encoding,
          contentMd5: source.md5,
          expectedLength: source.length,
          limit,
        });
        contents.set(name, { ...content, length: source.decodedLength ?? content.length });
      }
    } catch (error) {
      if (!(error instanceof CouchError)) throw error;
      if (error.error === "attachment_too_large" || error.error === "content_md5_mismatch") {
        return { id: document.id, error };
      }
      // Fewer bytes came than were promised: the source broke off.
      throw error.error === "bad_request" ? new PeerUnavailable(error.reason, error) : error;
    }
    const refusals: Refusal[] = [];
    const revision = await this.#admitted(database, document, contents, refusals);
    if (!revision) return refusals[0];
    return (await this.#write(database, [revision]))[0];
  }

  /** Every write is on disk when it is answered. */
  async commit(_signal: AbortSignal): Promise<void> {}

  #admitted(
    database: Database,
    document: ParsedDocument,
    contents: ReadonlyMap<string, TakenContent>,
    refusals: Refusal[],
  ): IncomingRevision | undefined | Promise<IncomingRevision | undefined> {
    const { services, identity } = this.end;
    const refuse = (error: unknown): undefined => {
      if (!(error instanceof CouchError)) throw error;
      refusals.push({ id: document.id, error });
      return undefined;
    };
    try {
      if (document.id === undefined) throw new CouchError("illegal_docid", "The document has no id.");
      if (document.body.length > services.limits().maxDocumentSize) {
        throw new CouchError("document_too_large", document.id);
      }
      const revision = toRevision(document, document.id, replicatedOrigin(document), contents);
      const admitted = services.admit(database, identity, revision);
      return admitted instanceof Promise ? admitted.catch(refuse) : admitted;
    } catch (error) {
      return refuse(error);
    }
  }

  async #write(database: Database, revisions: readonly IncomingRevision[]): Promise<readonly Refusal[]> {
    const outcomes = await database.write(revisions, this.end.trusted ? "trusted" : this.end.identity);
    const refusals: Refusal[] = [];
    for (const { id, error } of outcomes) {
      if (!error) continue;
      // The store itself failed: that is nobody's refusal.
      if (error.error === "internal_server_error" || error.error === "missing_stub") throw error;
      refusals.push({ id, error });
    }
    return refusals;
  }
}
