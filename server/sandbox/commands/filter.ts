import type { RealmTools, Subject } from "../in-realm/tools.js";

/**
 * Given the JSON texts of an array of documents and of the request, the answer has a `1` or a `0` for each document. A filter that
 * throws is an error for the whole feed, as in CouchDB.
 */
export function filterInRealm(tools: RealmTools): (documents: string, req: string, byView: string) => string {
  const { parse, apply } = tools;
  let emits = false;

  tools.define("emit", () => {
    emits = true;
  });

  return (documentTexts, req, byView) => {
    try {
      const subject = tools.subjects[0] as Subject;
      const documents = parse(documentTexts) as unknown[];
      const request = parse(req);
      let passed = "";
      for (let index = 0; index < documents.length; index++) {
        emits = false;
        const result =
          byView === "" ? apply(subject, tools.self, [documents[index], request]) : subject(documents[index]);
        passed += (byView === "" ? result : emits) ? "1" : "0";
      }
      return tools.answerText(passed);
    } catch (thrown) {
      return tools.answer(tools.exhausted(thrown) ?? tools.refuse("unknown_error", tools.textOf(thrown)));
    }
  };
}
