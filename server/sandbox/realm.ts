import type { QuickJSContext, QuickJSHandle, QuickJSRuntime, QuickJSWASMModule } from "quickjs-emscripten-core";
import { compileInRealm } from "./commands/compile.js";
import { filterInRealm } from "./commands/filter.js";
import { listInRealm, type PullRows } from "./commands/list.js";
import { mapInRealm } from "./commands/map.js";
import { reduceInRealm } from "./commands/reduce.js";
import { renderInRealm } from "./commands/render.js";
import { validateInRealm } from "./commands/validate.js";
import { createAnswering } from "./in-realm/answering.js";
import { harden } from "./in-realm/harden.js";
import { createMime } from "./in-realm/mime.js";
import { outlineInRealm } from "./in-realm/outline.js";
import { createRequire } from "./in-realm/require.js";
import { createTools } from "./in-realm/tools.js";
import { MemoryWatch } from "./memory-watch.js";
import { RunClock } from "./run-clock.js";

/** What a realm's functions are used for. */
export type Purpose = "validate" | "map" | "reduce" | "filter" | "render" | "list" | "outline";

/** Functions of the realm that the server may call. */
export type Entry = Exclude<Purpose, "render"> | "show" | "update" | "rewrite" | "compile" | "takeLogs";

export type RealmAnswer =
  | { readonly kind: "answer"; readonly outcome: unknown; readonly logs: readonly string[] }
  /** The call was ended, and the realm with it. */
  | { readonly kind: EndedBy; readonly logs: readonly string[] };

/** `stopped`: nobody wants its answer any more. */
type EndedBy = "timeout" | "memory" | "failed" | "stopped";

/** Text of a function that gets, after `tools`, what functions that answer clients need. `pull` is a variable of the script. */
function withAnswering(entry: (...args: never[]) => unknown): string {
  return `(tools) => {
  const mime = (${createMime})(tools);
  return (${entry})(tools, mime, (${createAnswering})(tools, mime), pull);
}`;
}

/** Each realm gets the entries of its purpose alone: reading the others' text would take as long as making the realm. */
const entriesOf: Readonly<Record<Purpose, string>> = {
  validate: `validate: (${validateInRealm})(tools)`,
  map: `map: (${mapInRealm})(tools)`,
  reduce: `reduce: (${reduceInRealm})(tools)`,
  filter: `filter: (${filterInRealm})(tools)`,
  render: `...(${withAnswering(renderInRealm)})(tools)`,
  list: `list: (${withAnswering(listInRealm)})(tools)`,
  outline: `outline: (${outlineInRealm})(tools)`,
};

/**
 * The text that makes a realm ours before a stranger's code runs in it. Its value is an object of entries that only
 * the server holds: nothing in the realm refers to it. No function of the server is in the realm, but for lists the one that gives
 * rows: out of reach for all code but ours, it takes texts and gives a text.
 */
const script = (purpose: Purpose, hardened: boolean): string => `(function (pull) {
"use strict";
const createRequire = ${createRequire};
const tools = (${createTools})();
const entries = {
  __proto__: null,
  compile: (${compileInRealm})(tools, createRequire, ${hardened ? harden : "() => undefined"}),
  ${entriesOf[purpose]},
  takeLogs: () => tools.answer(),
};
return entries;
})`;

/** QuickJS counts its stack in the WebAssembly memory; V8's stack below it is set in `worker-thread.ts` to outlast it. */
const stackLimitBytes = 256 * 1024;
/** To read what was logged before a call was ended. */
const logTimeLimitMs = 50;

export interface RealmLimits {
  readonly memoryLimitBytes: number;
  /** Several databases share the realm, and none may leave anything in it. */
  readonly hardened: boolean;
  /** For lists: gives rows; null ends the function. Called in the middle of a call. */
  readonly pull?: ((...args: Parameters<PullRows>) => string | null) | undefined;
}

/**
 * One QuickJS runtime with one context: the functions of one purpose of one design document, and what they leave behind between
 * calls. Only text goes in and only text comes out. Host errors thrown from here (an abort of the WebAssembly module, an
 * overflow of V8's own stack) leave the whole thread in doubt: they are not caught, and end it.
 */
export class Realm {
  /** Not to be used again: a call was ended half way, or promises wait that would run in somebody's next call. */
  spent = false;
  calls = 0;
  readonly #runtime: QuickJSRuntime;
  readonly #context: QuickJSContext;
  readonly #entries: QuickJSHandle;
  readonly #handles = new Map<Entry, QuickJSHandle>();
  readonly #clock = new RunClock();
  readonly #memory: MemoryWatch;
  /** Why the call was ended, when it was. */
  #interrupted: Exclude<EndedBy, "failed"> | undefined;

  constructor(quickjs: QuickJSWASMModule, purpose: Purpose, { memoryLimitBytes, hardened, pull }: RealmLimits) {
    this.#runtime = quickjs.newRuntime();
    this.#runtime.setMemoryLimit(memoryLimitBytes);
    this.#runtime.setMaxStackSize(stackLimitBytes);
    this.#memory = new MemoryWatch(quickjs.getWasmMemory(), memoryLimitBytes);
    this.#runtime.setInterruptHandler(() => {
      if (this.#interrupted) return true;
      if (this.#clock.isOver()) this.#interrupted = "timeout";
      else if (this.#memory.isOver()) this.#interrupted = "memory";
      return this.#interrupted !== undefined;
    });
    this.#context = this.#runtime.newContext();
    const make = this.#context.unwrapResult(this.#context.evalCode(script(purpose, hardened), "settee"));
    const give = pull ? this.#pullFunction(pull) : this.#context.undefined;
    this.#entries = this.#context.unwrapResult(this.#context.callFunction(make, this.#context.undefined, give));
    give.dispose();
    make.dispose();
  }

  #pullFunction(pull: NonNullable<RealmLimits["pull"]>): QuickJSHandle {
    const context = this.#context;
    return context.newFunction("pull", (head, sent) => {
      const rows = pull(context.getString(head), context.getString(sent));
      this.#clock.again();
      if (rows !== null) return context.newString(rows);
      this.#interrupted = "stopped";
      return context.undefined;
    });
  }

  /** Calls an entry with texts. Never throws for what the code inside does. */
  call(entry: Entry, texts: readonly string[], timeLimitMs: number): RealmAnswer {
    this.calls++;
    const answer = this.#run(entry, texts, timeLimitMs);
    if (this.#interrupted === "stopped") return this.#end("stopped");
    if (answer === "ok") return { kind: "answer", outcome: null, logs: [] };
    if (answer === undefined) return this.#end(this.#interrupted ?? "failed");
    if (answer.startsWith("=")) {
      const end = answer.indexOf("\n");
      return { kind: "answer", outcome: answer.slice(end + 1), logs: JSON.parse(answer.slice(1, end)) as string[] };
    }
    const { outcome, logs } = JSON.parse(answer) as { outcome: unknown; logs: string[] };
    if ((outcome as { error?: unknown } | null)?.error !== "memory") return { kind: "answer", outcome, logs };
    this.spent = true;
    return { kind: "memory", logs };
  }

  dispose(): void {
    for (const handle of this.#handles.values()) handle.dispose();
    this.#entries.dispose();
    this.#context.dispose();
    this.#runtime.dispose();
  }

  /** What the entry answers; undefined when it did not come to an answer. */
  #run(entry: Entry, texts: readonly string[], timeLimitMs: number): string | undefined {
    const context = this.#context;
    let handle = this.#handles.get(entry);
    if (!handle) {
      handle = context.getProp(this.#entries, entry);
      this.#handles.set(entry, handle);
    }
    this.#interrupted = undefined;
    this.#clock.start(timeLimitMs);
    this.#memory.start();
    const args = texts.map((text) => context.newString(text));
    const result = context.callFunction(handle, context.undefined, args);
    for (const arg of args) arg.dispose();
    // Never run: CouchDB has no event loop either, and a flood of promises must not outlive the call that made it.
    if (this.#runtime.hasPendingJob()) this.spent = true;
    const text = result.error ? "" : context.getString(result.value);
    result.dispose();
    this.#memory.stop();
    // Empty: it could not be copied out for want of memory.
    return text === "" ? undefined : text;
  }

  /** Half way through a call that was ended. What it logged before may say why. */
  #end(kind: EndedBy): RealmAnswer {
    this.spent = true;
    const answer = this.#run("takeLogs", [], logTimeLimitMs);
    const logs = answer?.startsWith("{") ? (JSON.parse(answer) as { logs: string[] }).logs : [];
    return { kind, logs };
  }
}
