/**
 * Contents between their arrival and the write that names them: a sweep, which knows only what documents name, must leave them
 * alone. A content is held from the moment its digest is known until its write is over, however long a slow upload beside it takes
 * and however many sweeps come and go meanwhile.
 *
 * A request that fails before its write lets go by being forgotten: holds are referred to weakly, so that no error path has to
 * remember them.
 */
export interface Hold {
  readonly digest: string;
}

type Reference = WeakRef<Hold>;

const references = new WeakMap<Hold, Reference>();
const forgotten = new FinalizationRegistry<() => void>((forget) => forget());

export class TakenDigests {
  readonly #holds = new Set<Reference>();
  /** While a sweep is under way: all that was held at its beginning or since. What names it may be behind the sweep already. */
  #spared: Set<string> | undefined;

  hold(digest: string): Hold {
    const hold = { digest };
    const holds = this.#holds;
    const reference = new WeakRef(hold);
    holds.add(reference);
    references.set(hold, reference);
    forgotten.register(hold, () => holds.delete(reference));
    this.#spared?.add(digest);
    return hold;
  }

  /** The write is over: a document names the content, or none ever will. */
  release(hold: Hold): void {
    const reference = references.get(hold);
    if (reference) this.#holds.delete(reference);
  }

  beginSweep(): void {
    this.#spared = new Set();
    for (const reference of this.#holds) {
      const hold = reference.deref();
      if (hold) this.#spared.add(hold.digest);
    }
  }

  /** Asked between `beginSweep` and `endSweep`. */
  isSpared(digest: string): boolean {
    return this.#spared?.has(digest) ?? true;
  }

  endSweep(): void {
    this.#spared = undefined;
  }
}
