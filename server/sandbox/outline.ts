/**
 * Looks into a module of the operator's own without running it in the server's world: what it exports, with the text
 * of each function. For building design documents, at start; it runs on the calling thread.
 */
import type { OutlineNode } from "./in-realm/outline.js";
import { loadQuickJs } from "./quickjs.js";
import { Realm, type RealmAnswer } from "./realm.js";

export type { OutlineNode } from "./in-realm/outline.js";

const memoryLimitBytes = 64 * 1024 * 1024;
const timeLimitMs = 2_000;

/** Lines and columns count from 1. */
export interface Frame {
  readonly line: number;
  readonly column: number;
}

/** What was thrown, in QuickJS's words. */
export class OutlineError extends Error {
  /** Places in the expression, innermost first. QuickJS knows those of calls, and else where the function begins. */
  readonly frames: readonly Frame[];

  constructor(words: string, stack: string) {
    super(words);
    this.name = "OutlineError";
    this.frames = [...stack.matchAll(/<input>:(\d+):(\d+)/g)].map(([, line, column]) => ({
      line: Number(line),
      column: Number(column),
    }));
  }
}

/** What the expression is worth. @throws OutlineError */
export function outline(expression: string): Promise<OutlineNode> {
  return inRealm((realm) => {
    const answer = realm.call("outline", [JSON.stringify(expression)], timeLimitMs);
    const { words, stack } = refusedBy(answer);
    if (words !== undefined) throw new OutlineError(words, stack);
    return (answer as { outcome: { value: OutlineNode } }).outcome.value;
  });
}

/** Why the source is no function expression, in QuickJS's words; undefined when it is one. */
export function checkFunction(source: string): Promise<string | undefined> {
  return inRealm((realm) => refusedBy(realm.call("compile", [JSON.stringify([source]), "{}"], timeLimitMs)).words);
}

async function inRealm<T>(use: (realm: Realm) => T): Promise<T> {
  const realm = new Realm(await loadQuickJs(), "outline", { memoryLimitBytes, hardened: false });
  try {
    return use(realm);
  } finally {
    realm.dispose();
  }
}

function refusedBy(answer: RealmAnswer): { readonly words?: string; readonly stack: string } {
  if (answer.kind !== "answer") return { words: `It ended without an answer: ${answer.kind}.`, stack: "" };
  const refused = answer.outcome as { error?: unknown; reason?: unknown } | null;
  if (refused?.error === undefined) return { stack: "" };
  return { words: String(refused.reason), stack: answer.logs.join("\n") };
}
