/** What a batch changes in one view. */
import { compareJson } from "../collation.js";
import { parseExact } from "../exact-json.js";
import type { Turn } from "../turn.js";
import { mergeInTurns } from "./merge-in-turns.js";
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

/** All that happens to the rows of one key and document; or, of very many rows, a part of it. */
interface PlaceChange {
  readonly id: string;
  readonly parsedKey: unknown;
  /** All rows that are there go. */
  readonly removes: boolean;
  /** Rows that come: the first, and how many. */
  readonly first: number;
  readonly count: number;
}

/** Changes that are sorted, or brought into a tree, at once: together with a turn's check they bound how long others wait. */
const changesAtOnce = 500;
/** Characters of keys and values among them: long keys take long to compare. */
const charactersAtOnce = 64 * 1024;

/** Changes while they are gathered. Rows of one key and document are ordered by their values, as CouchDB has them. */
export class ChangeList {
  readonly #changes: Omit<RowChange, "parsedKey">[] = [];

  remove(id: string, key: string): void {
    this.#changes.push({ id, key, value: undefined });
  }

  insert(id: string, { key, value }: EmittedRow): void {
    this.#changes.push({ id, key, value });
  }

  /** All of them, in the order of the view, in parts of which each is to be applied on top of those before it. */
  async *sorted(order: RowOrder, turn: Turn): AsyncIterable<SortedChanges> {
    const compare = (a: RowChange, b: RowChange): number => comparePlaces(a, b, order) || compareValues(a, b);
    const runs: RowChange[][] = [];
    for (const run of this.#runs()) {
      runs.push(run.sort(compare));
      if (turn.isOver) await turn.next();
    }
    const changes = await mergeInTurns(runs, compare, turn);
    let part = new Part(order);
    for (const change of changes) {
      if (part.isFullBefore(change)) {
        yield part.finish();
        part = new Part(order);
      }
      part.add(change);
    }
    if (changes.length > 0) yield part.finish();
  }

  *#runs(): Iterable<RowChange[]> {
    let run: RowChange[] = [];
    let characters = 0;
    for (const change of this.#changes) {
      run.push({ ...change, parsedKey: parseExact(change.key) });
      characters += change.key.length;
      if (run.length < changesAtOnce && characters < charactersAtOnce) continue;
      yield run;
      run = [];
      characters = 0;
    }
    if (run.length > 0) yield run;
  }
}

/** What goes comes first; values are in Erlang's order of terms, whatever the order of keys is. */
function compareValues({ value: a }: RowChange, { value: b }: RowChange): number {
  if (a === b) return 0;
  if (a === undefined || b === undefined) return a === undefined ? -1 : 1;
  return compareJson(parseExact(a), parseExact(b), "raw");
}

/** Sorted changes as they are put together by places. */
class Part {
  readonly #order: RowOrder;
  readonly #places: PlaceChange[] = [];
  readonly #inserted: RowText[] = [];
  #last: RowChange | undefined;
  #count = 0;
  #countOfPlace = 0;
  #characters = 0;

  constructor(order: RowOrder) {
    this.#order = order;
  }

  /** A place is cut in two only when it is too much by itself: rows that come back as they were are known by the whole place. */
  isFullBefore(change: RowChange): boolean {
    if (this.#count < changesAtOnce && this.#characters < charactersAtOnce) return false;
    return this.#countOfPlace >= changesAtOnce || !this.#isHere(change);
  }

  add(change: RowChange): void {
    const { id, key, value, parsedKey } = change;
    const isHere = this.#isHere(change);
    const place = isHere ? this.#places.pop() : undefined;
    const removes = (place?.removes ?? false) || value === undefined;
    if (value !== undefined) this.#inserted.push({ id, key, value, parsedKey });
    const first = place?.first ?? this.#inserted.length - (value === undefined ? 0 : 1);
    this.#places.push({
      id: place?.id ?? id,
      parsedKey: place ? place.parsedKey : parsedKey,
      removes,
      first,
      count: this.#inserted.length - first,
    });
    this.#last = change;
    this.#count++;
    this.#countOfPlace = isHere ? this.#countOfPlace + 1 : 1;
    this.#characters += key.length + (value?.length ?? 0);
  }

  finish(): SortedChanges {
    return new SortedChanges(this.#places, Rows.encode(this.#inserted));
  }

  #isHere(change: RowChange): boolean {
    return this.#last !== undefined && comparePlaces(this.#last, change, this.#order) === 0;
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
