import type { RealmTools, Subject } from "../in-realm/tools.js";

/**
 * Given the JSON text of an array of groups `[keys, values]`, where keys are `[[key, docid], ...]` or null to rereduce. The answer
 * has two lines for each group: how many values it had, and the JSON text of what they reduced to. A function that throws reduces
 * to null, as in CouchDB.
 */
export function reduceInRealm(tools: RealmTools): (groups: string) => string {
  const { parse, stringify } = tools;

  const reduced = (subject: Subject, keys: unknown, values: readonly unknown[]): string => {
    try {
      const text = stringify(subject(keys, values, keys === null));
      return text === undefined ? "null" : text;
    } catch (thrown) {
      if (tools.exhausted(thrown) !== undefined) throw thrown;
      tools.log(`function raised exception ${tools.textOf(thrown)}`);
      return "null";
    }
  };

  return (groupTexts) => {
    try {
      const subject = tools.subjects[0] as Subject;
      const groups = parse(groupTexts) as [unknown, unknown[]][];
      let lines = "";
      for (let index = 0; index < groups.length; index++) {
        const group = groups[index] as [unknown, unknown[]];
        const { length } = group[1];
        lines += `${length}\n${reduced(subject, group[0], group[1])}\n`;
      }
      return tools.answerText(lines);
    } catch (thrown) {
      return tools.answer(tools.exhausted(thrown) ?? tools.refuse("unknown_error", tools.textOf(thrown)));
    }
  };
}
