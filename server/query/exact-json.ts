/**
 * Reading canonical JSON text without loss. `JSON.parse` rounds integers that no double holds, and moves members whose names look
 * like array indexes to the front; here such an integer is a bigint, and an object with such a name is a Map.
 */

/** How the text of a number becomes a value. */
export type NumberReader = (text: string) => unknown;

/** Sixteen digits may be more than 2^53; a name of digits alone moves. A false alarm costs time only. */
const losesSomething = /\d{16}|"\d+":/;
const integer = /^-?\d+$/;

/** The value of a canonical JSON text: one without white space, as the store keeps it. */
export function parseExact(text: string): unknown {
  if (text.charCodeAt(0) === quote) return unquote(text);
  return losesSomething.test(text) ? new ExactReader(text, exactNumber).value() : JSON.parse(text);
}

/** The same, with numbers as `readNumber` gives them. */
export function parseExactWith(text: string, readNumber: NumberReader): unknown {
  return new ExactReader(text, readNumber).value();
}

function exactNumber(text: string): number | bigint {
  const value = Number(text);
  return Number.isSafeInteger(value) || !integer.test(text) ? value : BigInt(text);
}

const [quote, comma, backslash, openBracket, closeBracket, openBrace, closeBrace] = [...'",\\[]{}'].map((character) =>
  character.charCodeAt(0),
) as [number, number, number, number, number, number, number];

function unquote(text: string): string {
  return text.includes("\\") ? (JSON.parse(text) as string) : text.slice(1, -1);
}

class ExactReader {
  readonly #text: string;
  readonly #readNumber: NumberReader;
  #at = 0;

  constructor(text: string, readNumber: NumberReader) {
    this.#text = text;
    this.#readNumber = readNumber;
  }

  value(): unknown {
    switch (this.#text.charCodeAt(this.#at)) {
      case quote:
        return this.#string();
      case openBracket:
        return this.#array();
      case openBrace:
        return this.#object();
      default:
        return this.#scalar();
    }
  }

  #string(): string {
    const from = this.#at;
    let end = this.#text.indexOf('"', from + 1);
    while (this.#isEscaped(end)) end = this.#text.indexOf('"', end + 1);
    this.#at = end + 1;
    return unquote(this.#text.slice(from, end + 1));
  }

  #isEscaped(at: number): boolean {
    let first = at;
    while (this.#text.charCodeAt(first - 1) === backslash) first--;
    return (at - first) % 2 === 1;
  }

  #array(): unknown[] {
    const items: unknown[] = [];
    this.#at++;
    while (!this.#ends(closeBracket)) items.push(this.value());
    return items;
  }

  #object(): object {
    const members = new Map<string, unknown>();
    this.#at++;
    while (!this.#ends(closeBrace)) {
      const name = this.#string();
      this.#at++;
      members.set(name, this.value());
    }
    return members;
  }

  /** Passes the end, or the comma before what comes next. */
  #ends(close: number): boolean {
    const code = this.#text.charCodeAt(this.#at);
    if (code === comma || code === close) this.#at++;
    return code === close;
  }

  #scalar(): unknown {
    const from = this.#at;
    while (this.#at < this.#text.length && !this.#isDelimiter(this.#text.charCodeAt(this.#at))) this.#at++;
    const text = this.#text.slice(from, this.#at);
    if (text === "null") return null;
    if (text === "true" || text === "false") return text === "true";
    return this.#readNumber(text);
  }

  #isDelimiter(code: number): boolean {
    return code === comma || code === closeBracket || code === closeBrace;
  }
}
