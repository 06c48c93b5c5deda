/** What the server has promised: every acknowledged revision, and every request of which nobody knows the end. */

/** What one revision holds, as it was sent. */
export interface Content {
  /** Counts the writes, so that no two revisions have the same body. */
  readonly number: number;
  readonly deleted?: boolean;
  /** Digests (MD5, base64) of attachments by name. */
  readonly attachments?: Readonly<Record<string, string>>;
}

export interface LedgerEntry {
  /** Revision ids that were acknowledged, oldest first. */
  readonly acknowledged: readonly string[];
  /** Of the last acknowledged one; undefined while none was. */
  readonly content: Content | undefined;
  /** Sent, but the connection broke before the answer: may be there or not, but never in part. */
  readonly inDoubt: Content | undefined;
}

const unknown: LedgerEntry = { acknowledged: [], content: undefined, inDoubt: undefined };

export class Ledger {
  private readonly entries = new Map<string, LedgerEntry>();
  private readonly touched = new Set<string>();
  private acknowledgements = 0;
  /** Of an update sequence that the server has shown, the highest number. */
  private sequence = 0;

  get count(): number {
    return this.acknowledgements;
  }

  get highestSequence(): number {
    return this.sequence;
  }

  entry(id: string): LedgerEntry {
    return this.entries.get(id) ?? unknown;
  }

  ids(): readonly string[] {
    return [...this.entries.keys()];
  }

  /** The documents written since this was last asked. */
  takeTouched(): readonly string[] {
    const ids = [...this.touched];
    this.touched.clear();
    return ids;
  }

  /** Before the request leaves. */
  sending(id: string, content: Content): void {
    this.touched.add(id);
    this.entries.set(id, { ...this.entry(id), inDoubt: content });
  }

  acknowledge(id: string, rev: string): void {
    const { acknowledged, inDoubt } = this.entry(id);
    this.entries.set(id, { acknowledged: [...acknowledged, rev], content: inDoubt, inDoubt: undefined });
    this.acknowledgements += 1;
  }

  /** `seq` as the server shows it, e.g. `417-abc`: from then on it must never show a lower one. */
  sawSequence(seq: string | number): void {
    this.sequence = Math.max(this.sequence, sequenceNumber(seq));
  }

  /** After a look at the server: an unanswered write did happen, as revision `rev`, or did not. */
  settle(id: string, outcome: { readonly happened: true; readonly rev: string } | { readonly happened: false }): void {
    if (outcome.happened) this.acknowledge(id, outcome.rev);
    else this.entries.set(id, { ...this.entry(id), inDoubt: undefined });
  }
}

export function sequenceNumber(seq: string | number): number {
  return Number.parseInt(String(seq), 10);
}
