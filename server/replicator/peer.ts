/**
 * The two ends of a replication. A local end talks to the store, a remote one speaks HTTP; the loop between them
 * (`session.ts`) does not know which is which. Documents travel as their JSON text: nothing is parsed that need not be.
 */
import type { Readable } from "node:stream";
import type { CouchError } from "../../protocol/errors.js";
import type { DocId, RevId } from "../../protocol/ids.js";
import type { Follower } from "../documents/attachments/following-parts.js";
import type { ParsedDocument } from "../documents/parse-document.js";

/** A sequence as its peer writes it: opaque to everybody else. CouchDB 1 has numbers, BigCouch arrays. */
export type PeerSeq = string | number | readonly unknown[] | null;

export interface PeerInfo {
  readonly updateSeq: PeerSeq;
}

export interface Peer {
  /** As it is shown: without credentials, with a slash at its end. */
  readonly url: string;
  /** @throws CouchError db_not_found, unauthorized, forbidden, replication_auth_error, replication_error */
  info(signal: AbortSignal): Promise<PeerInfo>;
  /** A local document's members, `_rev` included; `id` without `_local/`. */
  readLocal(id: string, signal: AbortSignal): Promise<Readonly<Record<string, unknown>> | undefined>;
  /** Durable when it resolves, to the new revision. */
  writeLocal(id: string, document: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<string>;
}

export interface ChangedDocument {
  readonly id: DocId;
  readonly revs: readonly RevId[];
}

export interface ChangesPage {
  readonly rows: readonly ChangedDocument[];
  /** Where the next page begins. */
  readonly lastSeq: PeerSeq;
  /** Changes behind this page; null: the peer does not tell. */
  readonly pending: number | null;
  /** More may be there at once: the page ended at its limit. */
  readonly more: boolean;
}

export interface ChangesQuery {
  readonly since: PeerSeq;
  readonly limit: number;
  /** Wait for a change when there is none. */
  readonly wait: boolean;
}

/** Revisions of one document that the target has not. */
export interface WantedRevisions {
  readonly id: DocId;
  readonly revs: readonly RevId[];
  /** Leaves that the target has and that may be ancestors: attachments that they have need not be sent. */
  readonly ancestors: readonly RevId[];
}

/** What came of a question for many documents. */
export interface FetchedDocuments {
  /** Complete: none of them has attachments. */
  readonly documents: readonly ParsedDocument[];
  /** Those with attachments are to be fetched one by one, so that their bytes can stream. */
  readonly attached: readonly WantedRevisions[];
  /** What no server of ours could take. */
  readonly refused?: readonly Refusal[];
  /** Of `_bulk_get`: requests, and documents that came in their answers. */
  readonly bulkGet?: { readonly attempts: number; readonly documents: number };
}

/** A revision whose attachments come behind it: each body is to be read before the next is asked for. */
export interface StreamedRevision {
  readonly document: ParsedDocument;
  readonly parts: AsyncIterable<StreamedPart>;
}

export interface StreamedPart {
  readonly follower: Follower;
  readonly body: Readable;
}

export interface Source extends Peer {
  changes(query: ChangesQuery, signal: AbortSignal): Promise<ChangesPage>;
  fetch(wanted: readonly WantedRevisions[], signal: AbortSignal): Promise<FetchedDocuments>;
  /** All wanted revisions of one document. `whole`: every attachment with its bytes, whatever the target is thought to have. */
  fetchStreamed(wanted: WantedRevisions, whole: boolean, signal: AbortSignal): AsyncIterable<StreamedRevision>;
}

export interface Refusal {
  readonly id: DocId | undefined;
  readonly error: CouchError;
}

export interface Target extends Peer {
  /** An existing database is as good. */
  create(params: Readonly<Record<string, string>>, signal: AbortSignal): Promise<void>;
  missing(changed: readonly ChangedDocument[], signal: AbortSignal): Promise<readonly WantedRevisions[]>;
  /** Durable when it resolves, to the refusals; all others are there. */
  write(documents: readonly ParsedDocument[], signal: AbortSignal): Promise<readonly Refusal[]>;
  /** @throws CouchError missing_stub when an attachment that was left out is not there after all */
  writeStreamed(revision: StreamedRevision, signal: AbortSignal): Promise<Refusal | undefined>;
  /** Before a checkpoint: what was written is on disk. */
  commit(signal: AbortSignal): Promise<void>;
}
