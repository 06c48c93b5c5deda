/**
 * Code in this folder, and the `...InRealm` functions of `commands/`, runs inside a realm: it is sent there as text
 * (`Function.prototype.toString`), so each function stands alone and refers to nothing outside of itself.
 *
 * `createTools` runs before any code of a stranger. What it takes from the globals then, it keeps: a function that
 * patches `JSON.parse` afterwards changes its own world, not ours.
 */
export interface RealmTools {
  /** JSON text as the server passed it in. Throws the realm's out-of-memory error when there was no room for the text. */
  readonly parse: (text: string) => unknown;
  readonly stringify: (value: unknown) => string | undefined;
  readonly apply: typeof Reflect.apply;
  /** Indirect eval: global scope, sloppy mode. */
  readonly evaluate: (source: string) => unknown;
  /** The functions that the realm is for, and their `this`. Set once, by `compile`. */
  subjects: readonly Subject[];
  self: object;
  /** Makes one of CouchDB's global helpers what the realm's purpose needs it to be. */
  readonly define: (name: string, helper: (...args: never[]) => unknown) => void;
  /** `Name: message` of an error, the JSON text of another object, or the text of anything else. */
  readonly textOf: (thrown: unknown) => string;
  /** What the helper of this name does. */
  readonly log: (message: string) => void;
  /** JSON text of a refusal. */
  readonly refuse: (error: string, reason: unknown) => string;
  /** JSON text of the refusal when what was thrown is the realm's memory limit, otherwise undefined. */
  readonly exhausted: (thrown: unknown) => string | undefined;
  /** What an entry returns: `ok` when there is nothing to say, else JSON text with the outcome and what was logged. */
  readonly answer: (outcome?: string) => string;
  /** What an entry returns whose outcome is a text of its own format: it is not quoted on its way out. */
  readonly answerText: (text: string) => string;
}

export type Subject = (...args: unknown[]) => unknown;

export function createTools(): RealmTools {
  const world = globalThis as unknown as Record<string, unknown>;
  const { parse, stringify } = JSON;
  const { apply, ownKeys, defineProperty, deleteProperty } = Reflect;
  const { isArray } = Array;
  const { slice } = String.prototype;
  const toText = String;
  const ErrorType = Error;
  const InternalErrorType = world["InternalError"] as ErrorConstructor;
  const evaluate = world["eval"] as (source: string) => unknown;
  /** Reasons and logs cross to the server: a function must not be able to send it gigabytes, or nesting without end. */
  const maxText = 65_536;
  const maxStructure = 4_096;

  const plainEcmaScript = new Set<PropertyKey>(
    (
      "Object Function Error EvalError RangeError ReferenceError SyntaxError TypeError URIError AggregateError Iterator " +
      "Array parseInt parseFloat isNaN isFinite decodeURI decodeURIComponent encodeURI encodeURIComponent escape " +
      "unescape Infinity NaN undefined Number Boolean String Math Reflect Symbol eval globalThis Date RegExp JSON " +
      "Proxy Map Set WeakMap WeakSet WeakRef FinalizationRegistry ArrayBuffer Uint8ClampedArray Int8Array Uint8Array " +
      "Int16Array Uint16Array Int32Array Uint32Array BigInt64Array BigUint64Array Float16Array Float32Array " +
      "Float64Array DataView Promise BigInt"
    ).split(" "),
  );
  for (const name of ownKeys(world)) {
    if (!plainEcmaScript.has(name)) deleteProperty(world, name);
  }
  // It hands out the function objects on the stack, and ours are among them.
  deleteProperty(ErrorType, "prepareStackTrace");

  let logged = "";
  const write = (text: string): void => {
    if (logged.length + text.length > maxText) return;
    logged += (logged === "" ? "" : ",") + stringify(text);
  };

  const helpers: Record<string, (...args: never[]) => unknown> = {
    log: (message: unknown) => write(typeof message === "string" ? message : toText(stringify(message))),
    toJSON: (value: unknown) => stringify(value),
    isArray: (value: unknown) => isArray(value),
    sum: (values: readonly number[]) => {
      let total = 0;
      for (let index = 0; index < values.length; index++) total += values[index] as number;
      return total;
    },
    // CouchDB has these in every function, though each is of use to one kind only. They are defined again for that kind.
    emit: () => undefined,
    start: () => undefined,
    send: () => undefined,
    getRow: () => null,
    provides: () => undefined,
    registerType: () => undefined,
  };
  const define = (name: string, value: (...args: never[]) => unknown): void => {
    defineProperty(world, name, { value, writable: true, configurable: true, enumerable: true });
  };
  for (const name of ownKeys(helpers) as string[]) define(name, helpers[name] as (...args: never[]) => unknown);

  const textOf = (thrown: unknown): string => {
    try {
      const isPlain = typeof thrown === "object" && thrown !== null && !(thrown instanceof ErrorType);
      const text = isPlain ? stringify(thrown) : undefined;
      return text === undefined ? toText(thrown) : text;
    } catch {
      return "something that has no text";
    }
  };

  const refuse = (error: string, reason: unknown): string => {
    let text = stringify(reason);
    const limit = typeof reason === "string" ? maxText : maxStructure;
    if (text === undefined) text = "null";
    else if (text.length > limit) {
      const whole = typeof reason === "string" ? reason : text;
      text = stringify(apply(slice, whole, [0, limit]));
    }
    return `{"error":${stringify(error)},"reason":${text}}`;
  };

  return {
    parse: (text) => {
      if (typeof text !== "string") throw new InternalErrorType("out of memory");
      return parse(text);
    },
    stringify,
    apply,
    evaluate,
    subjects: [],
    self: {},
    define,
    log: write,
    textOf,
    refuse,
    exhausted: (thrown) =>
      thrown instanceof InternalErrorType && thrown.message === "out of memory" ? `{"error":"memory"}` : undefined,
    answer: (outcome) => {
      if (outcome === undefined && logged === "") return "ok";
      const logs = logged;
      logged = "";
      return `{"outcome":${outcome === undefined ? "null" : outcome},"logs":[${logs}]}`;
    },
    answerText: (text) => {
      const logs = logged;
      logged = "";
      return `=[${logs}]\n${text}`;
    },
  };
}
