import type { RealmTools, Subject } from "../in-realm/tools.js";

/**
 * Makes the functions of the realm. Given the sources (a JSON array of strings) and the design document that `require` reads;
 * the answer is a refusal, or nothing. `harden` closes the realm, just before the stranger's code comes in.
 */
export function compileInRealm(
  tools: RealmTools,
  createRequire: (tools: RealmTools, designDoc: object) => (path: string) => unknown,
  harden: () => void,
): (sourceTexts: string, modules: string) => string {
  return (sourceTexts, modules) => {
    let source = "";
    const refuse = (words: string) => tools.answer(tools.refuse("compilation_error", `${words} (${source})`));
    try {
      const sources = tools.parse(sourceTexts) as string[];
      const designDoc = tools.parse(modules) as object;
      (globalThis as unknown as Record<string, unknown>)["require"] = createRequire(tools, designDoc);
      harden();
      const subjects: Subject[] = [];
      for (let index = 0; index < sources.length; index++) {
        source = sources[index] as string;
        // An expression, whose end is left open: `function (doc) {...};` compiles too, and errors are placed as in CouchDB.
        const subject = tools.evaluate(`void 0, ${source}`);
        if (typeof subject !== "function") return refuse("Expression does not eval to a function.");
        subjects[index] = subject as Subject;
      }
      tools.subjects = subjects;
      tools.self = designDoc;
      return tools.answer();
    } catch (thrown) {
      const exhausted = tools.exhausted(thrown);
      return exhausted === undefined ? refuse(tools.textOf(thrown)) : tools.answer(exhausted);
    }
  };
}
