import { LRUCache } from "lru-cache";
import type { QuickJSWASMModule } from "quickjs-emscripten-core";
import { catalogue, type ErrorName } from "../../protocol/errors.js";
import { type Entry, Realm, type RealmAnswer } from "./realm.js";
import { type FunctionSource, type LogEntry, type Refusal, refusal, type WorkerSettings } from "./worker-protocol.js";

/** Of the work at hand: whose it is, and how long one call may take. */
export interface Asker {
  readonly database: string;
  readonly timeLimitMs: number;
}

export interface RealmsHooks {
  readonly log: (entry: LogEntry) => void;
  /** A stranger's code begins to run, for at most the asker's time limit. */
  readonly began: () => void;
}

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
  compile(asker: Asker, subject: FunctionSource): Refusal | null {
    const realm = this.#newRealm(subject);
    const answer = this.#compileIn(realm, asker, subject);
    this.#discard(realm);
    return answer;
  }

  /** Calls an entry of the function's realm. @returns what the entry answers, or a refusal */
  ask(entry: Entry, asker: Asker, subject: FunctionSource, texts: readonly string[]): unknown {
    const key = keyOf(asker.database, subject);
    for (;;) {
      const { realm, refused } = this.#open(key, asker, subject);
      if (refused) return refused;
      this.#hooks.began();
      const answer = realm.call(entry, texts, asker.timeLimitMs);
      if (realm.spent) this.#realms.delete(key);
      this.#logAll(answer, asker, subject);
      // Memory that earlier calls left behind is not this call's fault: what counts is what it does in a fresh realm.
      if (answer.kind === "memory" && realm.calls > 2) continue;
      return outcomeOf(answer, asker, subject);
    }
  }

  #open(key: string, asker: Asker, subject: FunctionSource): CompiledRealm {
    const known = this.#realms.get(key);
    if (known) return known;
    const realm = this.#newRealm(subject);
    const compiled = { realm, refused: this.#compileIn(realm, asker, subject) };
    if (realm.spent) this.#discard(realm);
    else this.#realms.set(key, compiled);
    return compiled;
  }

  #newRealm(subject: FunctionSource): Realm {
    return new Realm(this.#quickjs, this.#memoryLimitBytes, subject.shareKey !== undefined);
  }

  #compileIn(realm: Realm, asker: Asker, subject: FunctionSource): Refusal | null {
    this.#hooks.began();
    const answer = realm.call("compile", [JSON.stringify(subject.source), subject.modules ?? "{}"], asker.timeLimitMs);
    this.#logAll(answer, asker, subject);
    return outcomeOf(answer, asker, subject) as Refusal | null;
  }

  #logAll(answer: RealmAnswer, asker: Asker, subject: FunctionSource): void {
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

function keyOf(database: string, { shareKey, designDoc, source, modules }: FunctionSource): string {
  const owner = shareKey === undefined ? ["database", database, designDoc] : ["shared", shareKey];
  return JSON.stringify([...owner, source, modules]);
}

function outcomeOf(answer: RealmAnswer, asker: Asker, { designDoc }: FunctionSource): unknown {
  switch (answer.kind) {
    case "answer":
      return isRefused(answer.outcome) ? refusedAs(answer.outcome) : answer.outcome;
    case "timeout":
      return refusal("timeout", `A function of ${designDoc} took longer than ${asker.timeLimitMs} ms.`);
    case "memory":
      return refusal("unknown_error", `A function of ${designDoc} used more memory than it may.`);
    case "failed":
      return refusal("unknown_error", `A function of ${designDoc} ended without an answer.`);
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
  return refusal(Object.hasOwn(catalogue, error) ? error : "unknown_error", reason);
}
