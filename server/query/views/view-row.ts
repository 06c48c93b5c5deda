import type { Rows } from "./rows.js";

/** One row of a view. Its texts are made when they are asked for: most rows are sent as they are. */
export class ViewRow {
  readonly #rows: Rows;
  readonly #index: number;

  constructor(rows: Rows, index: number) {
    this.#rows = rows;
    this.#index = index;
  }

  /** The document that emitted it. */
  get id(): string {
    return this.#rows.id(this.#index);
  }

  /** JSON text. */
  get key(): string {
    return this.#rows.keyText(this.#index);
  }

  /** JSON text. */
  get value(): string {
    return this.#rows.valueText(this.#index);
  }

  /** The value, when it is an integer of at most nine digits. */
  get smallInteger(): number | undefined {
    return this.#rows.smallInteger(this.#index);
  }

  /** The members `"id":…,"key":…,"value":…`, without braces: to be spliced into an answer. */
  get json(): Buffer {
    return this.#rows.json(this.#index);
  }
}
