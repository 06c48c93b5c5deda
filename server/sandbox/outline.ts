/**
 * Looks into a module of the operator's own without running it in the server's world: what it exports, with the text
 * of each function. For building design documents, at start; it runs on the calling thread.
 */
import { CouchError } from "../../protocol/errors.js";
import type { OutlineNode } from "./in-realm/outline.js";
import { loadQuickJs } from "./quickjs.js";
import { Realm, type RealmAnswer } from "./realm.js";

export type { OutlineNode } from "./in-realm/outline.js";

const memoryLimitBytes = 64 * 1024 * 1024;
const timeLimitMs = 2_000;

/** What the expression is worth. @throws CouchError compilation_error in QuickJS's words */
export function outline(expression: string): Promise<OutlineNode> {
  return inRealm((realm) => {
    const answer = realm.call("outline", [JSON.stringify(expression)], timeLimitMs);
    return (outcomeOf(answer) as { value: OutlineNode }).value;
  });
}

/** @throws CouchError compilation_error when one of the sources is not a function expression */
export function checkFunctions(sources: readonly string[]): Promise<void> {
  return inRealm((realm) => {
    for (const source of sources) outcomeOf(realm.call("compile", [JSON.stringify([source]), "{}"], timeLimitMs));
  });
}

async function inRealm<T>(use: (realm: Realm) => T): Promise<T> {
  const realm = new Realm(await loadQuickJs(), "outline", { memoryLimitBytes, hardened: false });
  try {
    return use(realm);
  } finally {
    realm.dispose();
  }
}

function outcomeOf(answer: RealmAnswer): unknown {
  if (answer.kind !== "answer")
    throw new CouchError("compilation_error", `It ended without an answer: ${answer.kind}.`);
  const refused = answer.outcome as { error?: unknown; reason?: unknown } | null;
  if (refused?.error !== undefined) throw new CouchError("compilation_error", String(refused.reason));
  return answer.outcome;
}
