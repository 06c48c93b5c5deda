import { LRUCache } from "lru-cache";
import type { QuickJSWASMModule } from "quickjs-emscripten-core";
import { catalogue, type ErrorName } from "../../protocol/errors.js";
import { type Entry, type Purpose, Realm, type RealmAnswer } from "./realm.js";
import {
  endedRefusal,
  type FunctionSource,
  type LogEntry,
  type MapSource,
  type Refusal,
  refusal,
  type WorkerSettings,
} from "./worker-protocol.js";

/** Of the work at hand: whose it is, and how long one call may take. */
export interface Asker {
  readonly database: string;
  readonly timeLimitMs: number;
}

export interface RealmsHooks {
  readonly log: (entry: LogEntry) => void;
  /** A stranger's code begins to run, for at most the asker's time limit. */
  readonly began: () => void;
  /** A list function wants rows; null ends it. Without it there are no lists here. */
  readonly pull?: (head: string, sent: string) => string | null;
}

/** What a realm is made of. */
export type Subject = FunctionSource | MapSource;

interface CompiledRealm {
  readonly realm: Realm;
  /** Null, or why there is no function in the realm: it need not be compiled again to be refused again. */
  readonly refused: Refusal | null;
}

/**
 * The realms of one thread: made on demand, found again by database, design document and source, dropped when they are
 * idle or too many.
 *
 * A realm serves one database, so that no two databases see each other's globals, patched prototypes or module state,
 * even if their design documents are equal to the letter. The exception is `shareKey`: the operator's own code, in a
 * realm that is frozen against it (`in-realm/harden.ts`).
 */
export class Realms {
  /** A realm could not be taken down in good order: the memory that all realms of the thread live in is in doubt. */
  doubtful = false;
  readonly #quickjs: QuickJSWASMModule;
  readonly #memoryLimitBytes: number;
  readonly #hooks: RealmsHooks;
  /** Rows were pulled since the last call began: they are not there a second time. */
  #pulled = false;
  readonly #realms: LRUCache<string, CompiledRealm>;

  constructor(
    quickjs: QuickJSWASMModule,
    settings: Pick<WorkerSettings, "memoryLimitBytes" | "maxRealms" | "idleMs">,
    hooks: RealmsHooks,
    now: () => number = () => performance.now(),
  ) {
    this.#quickjs = quickjs;
    this.#memoryLimitBytes = settings.memoryLimitBytes;
    this.#hooks = hooks;
    this.#realms = new LRUCache({
      max: settings.maxRealms,
      ttl: settings.idleMs,
      ttlResolution: 0,
      updateAgeOnGet: true,
      perf: { now },
      dispose: ({ realm }) => this.#discard(realm),
    });
  }

  get size(): number {
    return this.#realms.size;
  }

  dropIdle(): void {
    this.#realms.purgeStale();
  }

  /** Compiles in a realm of its own, whose end this is. */
  compile(asker: Asker, subject: Subject): Refusal | null {
    const realm = this.#newRealm("validate", subject);
    const answer = this.#compileIn(realm, asker, subject);
    this.#discard(realm);
    return answer;
  }

  /** Calls an entry of the function's realm. @returns what the entry answers, or a refusal */
  ask(entry: AskedEntry, asker: Asker, subject: Subject, texts: readonly string[]): unknown {
    const purpose = purposeOf(entry);
    const key = keyOf(purpose, asker.database, subject);
    for (;;) {
      const { realm, refused } = this.#open(key, purpose, asker, subject);
      if (refused) return refused;
      this.#hooks.began();
      this.#pulled = false;
      const answer = realm.call(entry, texts, asker.timeLimitMs);
      if (realm.spent) this.#realms.delete(key);
      this.#logAll(answer, asker, subject);
      // Memory that earlier calls left behind is not this call's fault: what counts is what it does in a fresh realm.
      if (answer.kind === "memory" && realm.calls > 2 && !this.#pulled) continue;
      return outcomeOf(answer, asker, subject);
    }
  }

  readonly #pull = (head: string, sent: string): string | null => {
    this.#pulled = true;
    return this.#hooks.pull?.(head, sent) ?? null;
  };

  #open(key: string, purpose: Purpose, asker: Asker, subject: Subject): CompiledRealm {
    const known = this.#realms.get(key);
    if (known) return known;
    const realm = this.#newRealm(purpose, subject);
    const compiled = { realm, refused: this.#compileIn(realm, asker, subject) };
    // A realm that compiled and yet left promises behind is good for the one call that it was made for.
    if (realm.spent && compiled.refused) this.#discard(realm);
    else this.#realms.set(key, compiled);
    return compiled;
  }

  #newRealm(purpose: Purpose, subject: Subject): Realm {
    return new Realm(this.#quickjs, purpose, {
      memoryLimitBytes: this.#memoryLimitBytes,
      hardened: subject.shareKey !== undefined,
      pull: purpose === "list" ? this.#pull : undefined,
    });
  }

  #compileIn(realm: Realm, asker: Asker, subject: Subject): Refusal | null {
    this.#hooks.began();
    const sources = JSON.stringify(sourcesOf(subject));
    const answer = realm.call("compile", [sources, subject.modules ?? "{}"], asker.timeLimitMs);
    this.#logAll(answer, asker, subject);
    return outcomeOf(answer, asker, subject) as Refusal | null;
  }

  #logAll(answer: RealmAnswer, asker: Asker, subject: Subject): void {
    for (const message of answer.logs) {
      this.#hooks.log({ database: asker.database, designDoc: subject.designDoc, message });
    }
  }

  #discard(realm: Realm): void {
    try {
      realm.dispose();
    } catch {
      // QuickJS found something still alive. Nobody's call failed by it, but the thread should go (`worn`).
      this.doubtful = true;
    }
  }
}

/** Entries that run a stranger's functions. */
export type AskedEntry = Exclude<Entry, "compile" | "takeLogs" | "outline">;

function purposeOf(entry: AskedEntry): Purpose {
  switch (entry) {
    case "show":
    case "update":
    case "rewrite":
      return "render";
    default:
      return entry;
  }
}

function sourcesOf(subject: Subject): readonly string[] {
  return "sources" in subject ? subject.sources : [subject.source];
}

function keyOf(purpose: Purpose, database: string, subject: Subject): string {
  const { shareKey, designDoc, modules } = subject;
  const owner = shareKey === undefined ? ["database", database, designDoc] : ["shared", shareKey];
  return JSON.stringify([purpose, ...owner, sourcesOf(subject), modules]);
}

function outcomeOf(answer: RealmAnswer, asker: Asker, { designDoc }: Subject): unknown {
  switch (answer.kind) {
    case "answer":
      return isRefused(answer.outcome) ? refusedAs(answer.outcome) : answer.outcome;
    case "timeout":
      return endedRefusal("timeout", `A function of ${designDoc} took longer than ${asker.timeLimitMs} ms.`);
    case "memory":
      return endedRefusal("unknown_error", `A function of ${designDoc} used more memory than it may.`);
    case "failed":
      return endedRefusal("unknown_error", `A function of ${designDoc} ended without an answer.`);
    case "stopped":
      return refusal("unknown_error", `A function of ${designDoc} was ended: nobody waits for its answer.`);
  }
}

interface Refused {
  readonly error: ErrorName;
  readonly reason: unknown;
}

function isRefused(outcome: unknown): outcome is Refused {
  return typeof outcome === "object" && outcome !== null && "error" in outcome;
}

function refusedAs({ error, reason }: Refused): Refusal {
  // A design document that was saved and does not compile is the server's trouble by then: 500, as in CouchDB.
  if (error === "compilation_error") return refusal(error, reason, 500);
  if (Object.hasOwn(catalogue, error)) return refusal(error, reason);
  return { ...refusal("unknown_error", reason), word: error };
}
