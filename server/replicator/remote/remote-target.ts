/** A database elsewhere that is replicated to. */
import { Readable } from "node:stream";
import { CouchError } from "../../../protocol/errors.js";
import { parseRevId, type RevId } from "../../../protocol/ids.js";
import { followersOf } from "../../documents/attachments/following-parts.js";
import {
  type AttachmentPart,
  multipartType,
  newBoundary,
  relatedBody,
  relatedLength,
} from "../../documents/attachments/multipart-writer.js";
import type { ParsedDocument } from "../../documents/parse-document.js";
import { isObject } from "../endpoint.js";
import { PeerUnavailable } from "../failures.js";
import type { ChangedDocument, Refusal, StreamedPart, StreamedRevision, Target, WantedRevisions } from "../peer.js";
import { errorOf, type WholeReply } from "./connection.js";
import { documentPath, RemotePeer } from "./remote-peer.js";
import { bulkDocsBody, sentDocument } from "./sent-documents.js";

/** What a row of `_bulk_docs` says when the server has a problem and not the document. */
const serversFailures = new Set(["internal_server_error", "timeout", "unknown_error", "service_unavailable"]);

export class RemoteTarget extends RemotePeer implements Target {
  async create(params: Readonly<Record<string, string>>, signal: AbortSignal): Promise<void> {
    const query = new URLSearchParams(params).toString();
    const reply = await this.connection.ask({ method: "PUT", path: query ? `?${query}` : "", signal });
    if (reply.status >= 300 && reply.status !== 412) throw this.connection.refusal(reply);
  }

  async missing(changed: readonly ChangedDocument[], signal: AbortSignal): Promise<readonly WantedRevisions[]> {
    const asked = Object.fromEntries(changed.map(({ id, revs }) => [id, revs]));
    const answer = await this.connection.askJson({
      method: "POST",
      path: "_revs_diff",
      contentType: "application/json",
      body: Buffer.from(JSON.stringify(asked)),
      signal,
    });
    if (!isObject(answer)) {
      throw new CouchError("replication_error", `${this.url} answered _revs_diff with something else`);
    }
    return changed.flatMap(({ id }) => {
      const row = Object.hasOwn(answer, id) ? answer[id] : undefined;
      const revs = isObject(row) ? revisionsOf(row["missing"]) : [];
      return isObject(row) && revs.length > 0 ? [{ id, revs, ancestors: revisionsOf(row["possible_ancestors"]) }] : [];
    });
  }

  async write(documents: readonly ParsedDocument[], signal: AbortSignal): Promise<readonly Refusal[]> {
    const reply = await this.connection.ask({
      method: "POST",
      path: "_bulk_docs",
      contentType: "application/json",
      body: bulkDocsBody(documents),
      signal,
    });
    if (reply.status < 300) return this.#refusals(reply);
    const [first] = documents;
    if (!first || !isDocumentsFault(reply.status)) throw this.connection.refusal(reply);
    // One bad document, or too many of them: halves find out which.
    if (documents.length === 1) return [{ id: first.id, error: refusalOf(reply) }];
    const half = documents.length >> 1;
    const refusals = await this.write(documents.slice(0, half), signal);
    return [...refusals, ...(await this.write(documents.slice(half), signal))];
  }

  async writeStreamed({ document, parts }: StreamedRevision, signal: AbortSignal): Promise<Refusal | undefined> {
    const followers = followersOf(document);
    const path = `${documentPath(document.id as string)}?new_edits=false`;
    const reply = await (followers.length === 0
      ? this.connection.ask({
          method: "PUT",
          path,
          contentType: "application/json",
          body: Buffer.from(sentDocument(document)),
          signal,
        })
      : this.#putRelated(path, document, parts, signal));
    if (reply.status < 300) return undefined;
    const { error, reason } = errorOf(reply.bytes);
    if (reply.status === 412 || error === "missing_stub") throw new CouchError("missing_stub", reason);
    if (reply.status === 404 || !isDocumentsFault(reply.status)) throw this.connection.refusal(reply);
    return { id: document.id, error: refusalOf(reply) };
  }

  async commit(signal: AbortSignal): Promise<void> {
    const path = "_ensure_full_commit";
    const body = Buffer.from("{}");
    const reply = await this.connection.ask({ method: "POST", path, contentType: "application/json", body, signal });
    // Servers whose every write is durable need not know it.
    if (reply.status >= 300 && reply.status !== 404 && reply.status !== 405 && reply.status !== 501) {
      throw this.connection.refusal(reply);
    }
  }

  async #putRelated(
    path: string,
    document: ParsedDocument,
    parts: AsyncIterable<StreamedPart>,
    signal: AbortSignal,
  ): Promise<WholeReply> {
    const boundary = newBoundary();
    const arriving = parts[Symbol.asyncIterator]();
    const attachments = followersOf(document).map(({ name, contentType, encoding, source }): AttachmentPart => {
      async function* read(): AsyncIterable<Uint8Array> {
        const { value, done } = await arriving.next();
        if (done || value.follower.name !== name) {
          throw new CouchError("bad_request", `The attachment ${name} did not follow.`);
        }
        yield* value.body as AsyncIterable<Uint8Array>;
      }
      return { name, contentType, length: source.length ?? 0, ...(encoding ? { encoding } : {}), read };
    });
    const related = { json: Buffer.from(sentDocument(document)), attachments };
    const isMeasured = followersOf(document).every(({ source }) => source.length !== undefined);
    let failure: unknown;
    async function* watched(): AsyncIterable<Uint8Array> {
      try {
        yield* relatedBody(related, boundary);
      } catch (error) {
        failure = error;
        throw error;
      }
    }
    try {
      const reply = await this.connection.send({
        method: "PUT",
        path,
        contentType: multipartType("related", boundary),
        body: Readable.from(watched(), { objectMode: false }),
        ...(isMeasured ? { contentLength: relatedLength(related, boundary) } : {}),
        signal,
      });
      const bytes = await this.connection.whole(reply.body, signal);
      // The iteration goes on to its end, where a source that broke its promise says so.
      await arriving.return?.();
      return { status: reply.status, contentType: String(reply.headers["content-type"] ?? ""), bytes };
    } catch (error) {
      await arriving.return?.().catch(() => undefined);
      // The source broke off, and the target was told nothing.
      throw failure ?? error;
    }
  }

  #refusals(reply: WholeReply): readonly Refusal[] {
    const rows = this.connection.json(reply);
    if (!Array.isArray(rows)) {
      throw new CouchError("replication_error", `${this.url} answered _bulk_docs with something else`);
    }
    return rows.flatMap((row): Refusal[] => {
      if (!isObject(row) || typeof row["error"] !== "string") return [];
      const { id, error, reason } = row;
      if (serversFailures.has(error as string)) throw new PeerUnavailable(`${this.url} failed: ${error}: ${reason}`);
      return [{ id: id as Refusal["id"], error: new CouchError("forbidden", `${error}: ${reason}`) }];
    });
  }
}

/** Refused for what was sent, and not because the database is closed or gone. */
function isDocumentsFault(status: number): boolean {
  return status === 400 || status === 403 || status === 413 || status === 415 || status === 422;
}

function refusalOf({ status, bytes }: WholeReply): CouchError {
  const { error, reason } = errorOf(bytes);
  return new CouchError("forbidden", `${error}: ${reason}`, { status });
}

function revisionsOf(value: unknown): readonly RevId[] {
  return Array.isArray(value) ? value.map(parseRevId) : [];
}
