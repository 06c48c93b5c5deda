/**
 * First in, first out within a lane; lanes take turns. A database that asks for much waits for itself, not the others.
 */
export class FairQueue<T> {
  /** Lanes in the order of their turns; a lane that is served moves to the end, an empty one is gone. */
  readonly #lanes = new Map<string, T[]>();

  get length(): number {
    let length = 0;
    for (const items of this.#lanes.values()) length += items.length;
    return length;
  }

  push(lane: string, item: T): void {
    const items = this.#lanes.get(lane);
    if (items) items.push(item);
    else this.#lanes.set(lane, [item]);
  }

  /** The next item that may be served now; lanes whose turn it is and whose next item may not keep their place. */
  shift(mayServe: (item: T) => boolean = () => true): T | undefined {
    for (const [lane, items] of this.#lanes) {
      if (!mayServe(items[0] as T)) continue;
      const item = items.shift();
      this.#lanes.delete(lane);
      if (items.length > 0) this.#lanes.set(lane, items);
      return item;
    }
    return undefined;
  }

  /** Empties the queue. */
  drain(): T[] {
    const items = [...this.#lanes.values()].flat();
    this.#lanes.clear();
    return items;
  }
}
