/** What a batch changes in one view. */
import { parseExact } from "../exact-json.js";
import { comparePlaces, type Places, type RowOrder } from "./places.js";
import { Rows, type RowText } from "./rows.js";

/** A row as a map function emitted it: canonical JSON texts. */
export interface EmittedRow {
  readonly key: string;
  readonly value: string;
}

/** A row that goes has no value. */
interface RowChange {
  readonly id: string;
  readonly key: string;
  readonly value: string | undefined;
  readonly parsedKey: unknown;
}

/** All that happens to the rows of one key and document. */
interface PlaceChange {
  readonly id: string;
  readonly parsedKey: unknown;
  /** All rows that are there go. */
  readonly removes: boolean;
  /** Rows that come: the first, and how many. */
  readonly first: number;
  readonly count: number;
}

/** Changes while they are gathered. Rows of one key and document keep the order in which they come. */
export class ChangeList {
  readonly #changes: RowChange[] = [];

  remove(id: string, key: string): void {
    this.#changes.push({ id, key, value: undefined, parsedKey: parseExact(key) });
  }

  insert(id: string, { key, value }: EmittedRow): void {
    this.#changes.push({ id, key, value, parsedKey: parseExact(key) });
  }

  sorted(order: RowOrder): SortedChanges {
    const changes = this.#changes.sort((a, b) => comparePlaces(a, b, order));
    const places: PlaceChange[] = [];
    const inserted: RowText[] = [];
    for (let i = 0; i < changes.length; ) {
      const { id, parsedKey } = changes[i] as RowChange;
      const first = inserted.length;
      let removes = false;
      for (; i < changes.length && comparePlaces(changes[i] as RowChange, { id, parsedKey }, order) === 0; i++) {
        const { key, value, parsedKey: ownKey } = changes[i] as RowChange;
        if (value === undefined) removes = true;
        else inserted.push({ id, key, value, parsedKey: ownKey });
      }
      places.push({ id, parsedKey, removes, first, count: inserted.length - first });
    }
    return new SortedChanges(places, Rows.encode(inserted));
  }
}

/** One change for each place, in the order of the view. */
export class SortedChanges implements Places {
  readonly #places: readonly PlaceChange[];
  /** The rows that come. */
  readonly inserted: Rows;

  constructor(places: readonly PlaceChange[], inserted: Rows) {
    this.#places = places;
    this.inserted = inserted;
  }

  get count(): number {
    return this.#places.length;
  }

  key(i: number): unknown {
    return this.at(i).parsedKey;
  }

  id(i: number): string {
    return this.at(i).id;
  }

  at(i: number): PlaceChange {
    return this.#places[i] as PlaceChange;
  }
}
