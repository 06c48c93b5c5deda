/**
 * The order of steps of a write:
 *
 *   1. place     each revision in the tree it meets: conflicts, stubs, new revision ids      (reads)
 *   2. validate  by the database's design documents, in the sandbox                          (may wait)
 *   3. turn      place again, merge, stem, choose the winner, make the operations            (no waiting; a long request takes several)
 *   4. commit    one atomic batch, shared with whoever else writes now                       (waits for the disk)
 *   5. announce  to feeds, after the batch
 *
 * Why validate before the turn: revisions never change once written, so the ancestor that was shown in step 2 is still right in
 * step 3, and a slow function delays its own request only. The turn reads what is pending, so that writers of one document, in one
 * request or in many, see each other. Without validation functions steps 1 and 2 fall away.
 */
import { setImmediate } from "node:timers/promises";
import { CouchError } from "../../protocol/errors.js";
import { type DocId, isDesignDocId, type RevId, revIdOf } from "../../protocol/ids.js";
import type { Identity } from "../../protocol/security.js";
import type { GroupCommit } from "../storage/group-commit.js";
import type { DatabaseKeys } from "../storage/keys.js";
import type { WriteBatch } from "../storage/store.js";
import { bytesOfValue, countChange } from "./counting.js";
import {
  type DocumentRecord,
  decodeDocumentRecord,
  decodeRevisionValue,
  encodeDocumentRecord,
  encodeRevisionValue,
  type RevisionValue,
} from "./document-record.js";
import type { IncomingRevision } from "./incoming-revision.js";
import { type Placement, place } from "./placement.js";
import { merge } from "./revisions/merge.js";
import { stem } from "./revisions/stem.js";
import { findRevision, type RevisionNode, revOf, sameTree } from "./revisions/tree.js";
import { winnerOf } from "./revisions/winner.js";
import { changeRow, encodeSequenceEntry } from "./sequence-entry.js";
import type { Announcement, UpdateLog } from "./update-log.js";
import { type ValidationContext, type ValidationSubject, validateRevisions } from "./validate.js";

export interface WriteOutcome {
  readonly id: DocId;
  /** The revision written, or found there already; of a refused one, the name that another server gave it. */
  readonly rev?: RevId;
  readonly error?: CouchError;
}

/** What a write needs of its database. */
export interface WriteTarget {
  readonly keys: DatabaseKeys;
  readonly commit: GroupCommit;
  readonly log: UpdateLog;
  readonly revsLimit: number;
  /** Undefined when no design document of the database validates. */
  validation(): Promise<ValidationContext | undefined> | ValidationContext | undefined;
  /** Called in the turn when a design document is among the revisions, after the batch. */
  designDocumentsChanged(): void;
  /** Called last before the turn. @throws CouchError not_found when the database was deleted meanwhile */
  beforeTurn(): void;
  /** Operations that the turn's own need in front of them. */
  firstOperations(batch: WriteBatch): void;
  /** What was written is lost. */
  aborted(): void;
}

/** Who writes; "trusted" is the server itself, past validation. */
export type Writer = Identity | "trusted";

/** Values up to here stand beside the tree: one key less to write, one read less to serve. */
const inlineLimit = 4096;

/** One outcome for each revision, in order. Resolves when all that was accepted is on disk. */
export async function writeRevisions(
  target: WriteTarget,
  revisions: readonly IncomingRevision[],
  writer: Writer,
): Promise<readonly WriteOutcome[]> {
  checkStubs(target, revisions);
  const context = writer === "trusted" ? undefined : await target.validation();
  const refusals = context ? await judge(target, context, revisions, writer as Identity) : undefined;
  const outcomes: WriteOutcome[] = [];
  const commits: Promise<void>[] = [];
  while (outcomes.length < revisions.length) {
    // A long request takes several turns, and whoever waits has one in between.
    if (outcomes.length > 0) await setImmediate();
    target.beforeTurn();
    commits.push(takeTurn(target, revisions, refusals, outcomes));
  }
  await Promise.all(commits);
  return outcomes;
}

/** Milliseconds after which a turn ends, and the rest of its request waits for another. */
const turnLimit = 20;

/** One turn: adds outcomes for as many of the revisions that have none yet as it has time for, and resolves when they are on disk. */
function takeTurn(
  target: WriteTarget,
  revisions: readonly IncomingRevision[],
  refusals: readonly (CouchError | undefined)[] | undefined,
  outcomes: WriteOutcome[],
): Promise<void> {
  let designDocuments = false;
  let changes: readonly Announcement[] = [];
  let reached = target.log.pending;
  const fill = (batch: WriteBatch): void => {
    const turn = new Turn(target, batch);
    const ends = performance.now() + turnLimit;
    do {
      const incoming = revisions[outcomes.length] as IncomingRevision;
      const refused = refusals?.[outcomes.length];
      const outcome = refused ? { ...namesOf(incoming), error: refused } : turn.write(incoming);
      outcomes.push(outcome);
      if (!outcome.error && isDesignDocId(incoming.id)) designDocuments = true;
    } while (outcomes.length < revisions.length && performance.now() < ends);
    turn.finish();
    changes = turn.announcements;
    reached = target.log.pending;
  };
  return target.commit.write(fill, {
    committed: () => {
      if (designDocuments) target.designDocumentsChanged();
      target.log.settle(reached, changes);
    },
    aborted: () => {
      target.log.abort();
      target.aborted();
    },
  });
}

/** A stub that nobody has fails the whole request, before anything of it is written. @throws CouchError missing_stub */
function checkStubs(target: WriteTarget, revisions: readonly IncomingRevision[]): void {
  for (const incoming of revisions) {
    if (!incoming.attachments.some(({ kind }) => kind === "stub")) continue;
    try {
      place(incoming, readRecord(target, incoming.id), (of, at) => readValue(target, incoming.id, of, at));
    } catch (error) {
      if (error instanceof CouchError && error.error === "missing_stub") throw error;
    }
  }
}

async function judge(
  target: WriteTarget,
  context: ValidationContext,
  revisions: readonly IncomingRevision[],
  caller: Identity,
): Promise<readonly (CouchError | undefined)[]> {
  const refusals = new Array<CouchError | undefined>(revisions.length);
  const subjects: ValidationSubject[] = [];
  const positions: number[] = [];
  revisions.forEach((incoming, index) => {
    if (isDesignDocId(incoming.id)) return;
    const record = readRecord(target, incoming.id);
    if (record && isStored(incoming, record)) return;
    try {
      const placement = place(incoming, record, (of, at) => readValue(target, incoming.id, of, at));
      subjects.push({ incoming, placement, record });
      positions.push(index);
    } catch (error) {
      // The turn will say what is wrong, or find it mended by an earlier revision of the same request: then it validates nothing,
      // so the refusal is kept.
      refusals[index] = asCouchError(error);
    }
  });
  if (subjects.length === 0) return refusals;
  const verdicts = await validateRevisions(context, caller, subjects);
  verdicts.forEach((verdict, i) => {
    if (verdict) refusals[positions[i] as number] = verdict;
  });
  return refusals;
}

/** A revision that is here already is nothing new to judge: sent again, it must succeed whatever the functions say by now. */
function isStored({ origin }: IncomingRevision, { tree }: DocumentRecord): boolean {
  if (origin.kind !== "replicated") return false;
  const index = findRevision(tree, origin.path.start, origin.path.hashes[0] as string);
  return tree[index]?.stored ?? false;
}

export function readRecord(target: Pick<WriteTarget, "keys" | "commit">, id: string): DocumentRecord | undefined {
  const bytes = target.commit.read(target.keys.document(id));
  return bytes && decodeDocumentRecord(bytes);
}

export function readValue(
  target: Pick<WriteTarget, "keys" | "commit">,
  id: DocId,
  record: DocumentRecord,
  index: number,
): RevisionValue | undefined {
  if (index === record.winner && record.inline) return decodeRevisionValue(record.inline);
  const bytes = target.commit.read(target.keys.body(id, revOf(record.tree[index] as RevisionNode)));
  return bytes && decodeRevisionValue(bytes);
}

/**
 * Step 3 for the revisions of one request. Document records are put once, at the end: ten thousand revisions of one document
 * would otherwise write its growing tree ten thousand times.
 */
class Turn {
  readonly announcements: Announcement[] = [];
  readonly #changed = new Map<DocId, DocumentRecord>();
  readonly #target: WriteTarget;
  readonly #batch: WriteBatch;

  constructor(target: WriteTarget, batch: WriteBatch) {
    this.#target = target;
    this.#batch = batch;
  }

  write(incoming: IncomingRevision): WriteOutcome {
    const target = this.#target;
    const { id } = incoming;
    try {
      const record = this.#changed.get(id) ?? readRecord(target, id);
      const placement = place(incoming, record, (of, at) => readValue(target, id, of, at));
      return { id, rev: this.#apply(incoming, record, placement) };
    } catch (error) {
      return { ...namesOf(incoming), error: asCouchError(error) };
    }
  }

  finish(): void {
    for (const [id, record] of this.#changed)
      this.#batch.put(this.#target.keys.document(id), encodeDocumentRecord(record));
  }

  #apply(incoming: IncomingRevision, record: DocumentRecord | undefined, { path, value }: Placement): RevId {
    const { keys, log, revsLimit } = this.#target;
    const { id, deleted } = incoming;
    const encoded = encodeRevisionValue(value);
    const bytes = bytesOfValue(value, incoming.attachments);
    const before = record?.tree ?? [];
    const merged = merge(before, path, { deleted, seq: log.pendingSeq + 1, ...bytes });
    const newest = merged.tree[merged.index] as RevisionNode;
    const rev = revOf(newest);
    if (merged.outcome === "already-there") return rev;
    const { tree, removed } = stem(merged.tree, revsLimit);
    const seq = log.pendingSeq + 1;
    const wrote = newest.seq === seq;
    // Older history than is kept here adds nothing: without this, sending it again would be a change each time.
    if (removed.length > 0 && sameTree(tree, before)) return rev;
    const winner = winnerOf(tree);

    // Bodies: the winner's stands beside the tree when it is small; what it displaces moves out, unless history forgot it.
    let inline = record?.inline;
    const inlineNode = record && inline ? (before[record.winner] as RevisionNode) : undefined;
    const winnerNode = tree[winner] as RevisionNode;
    const winnerIsNew = wrote && winnerNode.generation === newest.generation && winnerNode.hash === newest.hash;
    const winnerStays =
      inlineNode !== undefined &&
      inlineNode.generation === winnerNode.generation &&
      inlineNode.hash === winnerNode.hash;
    if (inlineNode && inline && !winnerStays && !isRemoved(removed, inlineNode)) {
      this.#batch.put(keys.body(id, revOf(inlineNode)), inline);
    }
    if (!winnerStays) inline = undefined;
    if (wrote) {
      if (winnerIsNew && encoded.length <= inlineLimit) inline = encoded;
      else this.#batch.put(keys.body(id, rev), encoded);
    }
    for (const node of removed) if (node.stored && node !== inlineNode) this.#batch.delete(keys.body(id, revOf(node)));
    for (const { kind, ...attachment } of incoming.attachments) {
      if (kind !== "new") continue;
      const { content } = attachment as { content: { digest: string; small?: Buffer } };
      if (content.small) this.#batch.put(keys.attachment(content.digest), content.small);
    }

    this.#target.firstOperations(this.#batch);
    if (record) this.#batch.delete(keys.sequence(record.seq));
    const counters = countChange(log.pending.counters, record, { tree, winner });
    const entry = encodeSequenceEntry(changeRow(id, tree, winner), counters);
    this.#changed.set(id, { tree, winner, seq, inline });
    this.#batch.put(keys.sequence(seq), entry);
    log.advance(seq, counters);
    this.announcements.push({ seq, id, entry });
    return rev;
  }
}

/** A refused edit never got a revision; a replicated revision came with one. */
function namesOf({ id, origin }: IncomingRevision): WriteOutcome {
  if (origin.kind === "edit") return { id };
  return { id, rev: revIdOf(origin.path.start, origin.path.hashes[0] as string) };
}

function isRemoved(removed: readonly RevisionNode[], node: RevisionNode): boolean {
  return removed.some(({ generation, hash }) => generation === node.generation && hash === node.hash);
}

function asCouchError(error: unknown): CouchError {
  if (error instanceof CouchError) return error;
  return new CouchError("internal_server_error", undefined, { cause: error });
}
