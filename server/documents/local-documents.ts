/**
 * Local documents: one JSON text by id, outside trees, feeds and replication. Replicators keep their checkpoints in them.
 * Revisions are `0-N` and never conflict; N is one more than the N that the writer names, as in CouchDB.
 */
import { CouchError } from "../../protocol/errors.js";
import type { GroupCommit } from "../storage/group-commit.js";
import type { DatabaseKeys } from "../storage/keys.js";
import { ByteReader, ByteWriter } from "./bytes.js";

export interface LocalDocument {
  /** `0-N` */
  readonly rev: string;
  /** Canonical JSON text without special members. */
  readonly body: Buffer;
}

const writer = new ByteWriter(1024);

export function encodeLocal(count: number, body: Buffer): Buffer {
  return writer.reset().varint(count).raw(body).copy();
}

export function decodeLocal(bytes: Buffer): LocalDocument {
  const reader = new ByteReader(bytes);
  const count = reader.varint();
  return { rev: `0-${count}`, body: bytes.subarray(reader.at) };
}

/** @throws CouchError bad_request */
function countOf(rev: string | undefined): number {
  if (rev === undefined) return 0;
  const match = /^0-(\d{1,15})$/.exec(rev);
  if (!match) throw new CouchError("bad_request", "Invalid rev format");
  return Number(match[1]);
}

export interface LocalTarget {
  readonly keys: DatabaseKeys;
  readonly commit: GroupCommit;
}

/** Writes a local document; resolves to its new revision when it is on disk. `keepRev` stores the given count as it is. */
export async function writeLocal(target: LocalTarget, id: string, body: Buffer, rev?: string): Promise<string> {
  const count = countOf(rev) + 1;
  await target.commit.write((batch) => batch.put(target.keys.local(id), encodeLocal(count, body)));
  return `0-${count}`;
}

/** @throws CouchError not_found when there is none, or not with that revision */
export async function deleteLocal(target: LocalTarget, id: string, rev?: string): Promise<string> {
  const key = target.keys.local(id);
  const found = target.commit.read(key);
  if (!found || (rev !== undefined && decodeLocal(found).rev !== rev)) throw new CouchError("not_found", "missing");
  await target.commit.write((batch) => batch.delete(key));
  return "0-0";
}
