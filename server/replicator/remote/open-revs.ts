/** Revisions of one document by `open_revs`: as JSON, or in multipart with the bytes of their attachments streaming. */
import type { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { CouchError } from "../../../protocol/errors.js";
import { followersOf, takeNext } from "../../documents/attachments/following-parts.js";
import { type MultipartPart, multipartBoundary, readMultipart } from "../../documents/attachments/multipart-reader.js";
import { scanDocument } from "../../documents/json/json-text.js";
import { scanOpenRevs } from "../../documents/json/scan-answers.js";
import { type ParsedDocument, parseDocument } from "../../documents/parse-document.js";
import { PeerUnavailable } from "../failures.js";
import type { FetchedDocuments, StreamedPart, StreamedRevision, WantedRevisions } from "../peer.js";
import type { Connection, PeerReply, WholeReply } from "./connection.js";
import { documentPath } from "./remote-peer.js";

/** Revisions named in one URL: servers take some 8,000 characters. */
const revsPerRequest = 50;
/** Documents asked for at the same time, where each costs a request. */
const requestsAtOnce = 10;

/** For peers without `_bulk_get`. */
export async function fetchOpenRevs(
  connection: Connection,
  wanted: readonly WantedRevisions[],
  signal: AbortSignal,
): Promise<FetchedDocuments> {
  const documents: ParsedDocument[] = [];
  const attached: WantedRevisions[] = [];
  const queue = wanted.values();
  const worker = async (): Promise<void> => {
    for (const one of queue) {
      const found: ParsedDocument[] = [];
      for (const path of paths(one, "")) {
        const reply = await connection.ask({ method: "GET", path, signal });
        if (await isGone(connection, reply, signal)) continue;
        found.push(...documentsIn(reply.bytes));
      }
      if (found.some(({ attachments }) => attachments.length > 0)) attached.push(one);
      else documents.push(...found);
    }
  };
  await Promise.all(Array.from({ length: Math.min(requestsAtOnce, wanted.length) }, worker));
  return { documents, attached };
}

/** Each revision before its attachments, which are to be read before the next revision is asked for. */
export async function* streamOpenRevs(
  connection: Connection,
  wanted: WantedRevisions,
  whole: boolean,
  signal: AbortSignal,
): AsyncIterable<StreamedRevision> {
  const { ancestors } = wanted;
  const since = whole || ancestors.length === 0 ? "" : `&atts_since=${listed(ancestors)}`;
  for (const path of paths(wanted, `&attachments=true${since}`)) {
    const reply = await connection.send({ method: "GET", path, accept: "multipart/mixed", signal });
    // What is left of a body that nobody reads on must not stop the process.
    reply.body.on("error", () => undefined);
    try {
      const type = String(reply.headers["content-type"] ?? "");
      if (reply.status < 300 && /^multipart\//i.test(type)) yield* revisionsIn(reply.body, type);
      else yield* wholeRevisions(connection, reply, signal);
    } catch (error) {
      signal.throwIfAborted();
      throw brokenOff(connection, error);
    } finally {
      reply.body.destroy();
    }
  }
}

/** A text that ended too early is a connection that broke. What a reader of ours threw stays what it is. */
function brokenOff(connection: Connection, error: unknown): unknown {
  if (error instanceof CouchError && error.error !== "bad_request") return error;
  return new PeerUnavailable(`${connection.url} broke off: ${error instanceof Error ? error.message : error}`, error);
}

async function* revisionsIn(body: Readable, type: string): AsyncIterable<StreamedRevision> {
  for await (const part of readMultipart(body, boundaryOf(type))) {
    const contentType = part.headers["content-type"] ?? "";
    if (/^multipart\/related/i.test(contentType)) {
      yield* relatedRevision(part, contentType);
      continue;
    }
    const bytes = await buffer(part.body);
    if (/;\s*error="?true/i.test(contentType)) continue;
    yield { document: parseDocument(scanDocument(bytes)), parts: noParts() };
  }
}

async function* relatedRevision(part: MultipartPart, type: string): AsyncIterable<StreamedRevision> {
  const parts = readMultipart(part.body, boundaryOf(type));
  const first = await parts.next();
  if (first.done) throw new CouchError("bad_request", "The multipart body has no parts.");
  const document = parseDocument(scanDocument(await buffer(first.value.body)));
  yield { document, parts: followingParts(document, parts) };
}

async function* followingParts(
  document: ParsedDocument,
  parts: AsyncIterable<MultipartPart>,
): AsyncIterable<StreamedPart> {
  const waiting = followersOf(document);
  for await (const part of parts) yield { follower: takeNext(waiting, part), body: part.body };
  const [missing] = waiting;
  if (missing) throw new CouchError("bad_request", `The attachment ${missing.name} did not follow.`);
}

/** From a peer that knows no multipart: the bytes are inside the JSON. */
async function* wholeRevisions(
  connection: Connection,
  { status, body }: PeerReply,
  signal: AbortSignal,
): AsyncIterable<StreamedRevision> {
  const reply = { status, contentType: "", bytes: await buffer(body) };
  if (await isGone(connection, reply, signal)) return;
  for (const document of documentsIn(reply.bytes)) yield { document, parts: noParts() };
}

async function* noParts(): AsyncIterable<StreamedPart> {}

function documentsIn(bytes: Buffer): readonly ParsedDocument[] {
  const documents = new Map<string, ParsedDocument>();
  for (const revision of scanOpenRevs(bytes)) {
    if (!("document" in revision)) continue;
    const document = parseDocument(revision.document);
    documents.set(String(document.rev), document);
  }
  return [...documents.values()];
}

/** True when there is no such document any more. @throws CouchError for any other failure, the database's absence among them */
async function isGone(connection: Connection, reply: WholeReply, signal: AbortSignal): Promise<boolean> {
  if (reply.status < 300) return false;
  if (reply.status !== 404) throw connection.refusal(reply);
  await connection.askJson({ method: "GET", path: "", signal });
  return true;
}

function paths({ id, revs }: WantedRevisions, more: string): readonly string[] {
  const all: string[] = [];
  for (let from = 0; from < revs.length; from += revsPerRequest) {
    const some = listed(revs.slice(from, from + revsPerRequest));
    all.push(`${documentPath(id)}?open_revs=${some}&revs=true&latest=true${more}`);
  }
  return all;
}

function listed(revs: readonly string[]): string {
  return encodeURIComponent(JSON.stringify(revs));
}

function boundaryOf(type: string): string {
  const boundary = multipartBoundary(type);
  if (boundary === undefined) throw new CouchError("bad_request", "The multipart type names no boundary.");
  return boundary;
}
