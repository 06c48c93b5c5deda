/** Whether a database arrived: every leaf of every document, conflicts and tombstones too, and the digests of all attachments. */
import type { ChangedDocument, PeerSeq, Source, WantedRevisions } from "../peer.js";
import type { ServerEnd } from "./server-end.js";

export interface VerifiedDatabase {
  /** As the source counts them, and the target. */
  readonly documents: readonly [source: number, target: number];
  readonly deletedDocuments: readonly [source: number, target: number];
  /** Of the source. */
  readonly leaves: number;
  readonly conflicts: number;
  readonly attachments: number;
  /** What is not at the target as it is at the source; the first of them. */
  readonly missing: readonly string[];
  readonly missingCount: number;
}

export interface VerifyParts {
  readonly name: string;
  readonly from: ServerEnd;
  readonly to: ServerEnd;
  /** Gives every leaf, without a filter. */
  readonly source: Source;
  readonly target: {
    missing(changed: readonly ChangedDocument[], signal: AbortSignal): Promise<readonly WantedRevisions[]>;
  };
}

const pageSize = 1000;
const shownMissing = 20;

export async function verifyDatabase(parts: VerifyParts, signal: AbortSignal): Promise<VerifiedDatabase> {
  const { name, from, to, source, target } = parts;
  const missing: string[] = [];
  let [leaves, conflicts, attachments, missingCount] = [0, 0, 0, 0];
  const lacks = (what: string): void => {
    missingCount++;
    if (missing.length < shownMissing) missing.push(what);
  };
  let since: PeerSeq = 0;
  for (;;) {
    const page = await source.changes({ since, limit: pageSize, wait: false }, signal);
    for (const { revs } of page.rows) {
      leaves += revs.length;
      conflicts += revs.length - 1;
    }
    for (const { id, revs } of await target.missing(page.rows, signal)) for (const rev of revs) lacks(`${id} ${rev}`);
    const wanted = page.rows.map(({ id, revs }) => ({ id, revs, ancestors: [] }));
    const [there, here] = await Promise.all([
      from.attachments(name, wanted, signal),
      to.attachments(name, wanted, signal),
    ]);
    for (const [key, list] of there) {
      attachments += (JSON.parse(list) as unknown[]).length;
      if (here.get(key) !== list) lacks(`attachments of ${key.replace("\0", " ")}`);
    }
    since = page.lastSeq;
    if (!page.more) break;
  }
  const [theirs, ours] = await Promise.all([from.counts(name, signal), to.counts(name, signal)]);
  return {
    documents: [theirs.documents, ours.documents],
    deletedDocuments: [theirs.deletedDocuments, ours.deletedDocuments],
    leaves,
    conflicts,
    attachments,
    missing,
    missingCount,
  };
}

/** A target that was there before may hold more. The server's own databases have design documents of their server's. */
export function arrived(name: string, { documents, deletedDocuments, missingCount }: VerifiedDatabase): boolean {
  if (name.startsWith("_")) return missingCount === 0;
  const total = ([source, target]: readonly [number, number]): boolean => target >= source;
  return missingCount === 0 && total(documents) && total(deletedDocuments);
}
