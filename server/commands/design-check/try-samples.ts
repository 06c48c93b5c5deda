import { CouchError } from "../../../protocol/errors.js";
import { type Problem, TemplateError } from "../../gateway/design-docs/problem.js";
import { tryFilter, tryList, tryRewrites, tryShow, tryUpdate } from "./calls.js";
import type { Outcome, OutcomeGroup } from "./outcome.js";
import type { Samples } from "./samples.js";
import { functionOf, type Subject } from "./subject.js";
import { tryView } from "./views.js";
import { tryWrites } from "./writes.js";

/**
 * @param file of the samples
 * @param logged what functions write with `log()`: it is told with the samples that they wrote it for
 * @throws TemplateError for samples of functions that are not there
 */
export async function trySamples(
  subject: Subject,
  samples: Samples,
  file: string,
  logged: string[],
): Promise<readonly OutcomeGroup[]> {
  const problems = problemsOf(subject, samples, file);
  if (problems.length > 0) throw new TemplateError(problems);
  const groups: OutcomeGroup[] = [];
  const attempt = async (name: string, work: () => Promise<readonly Outcome[]>): Promise<void> => {
    logged.length = 0;
    const outcomes = await work().catch(failed);
    const said = logged.map((words): Outcome => ({ title: "log()", status: "shown", details: [words] }));
    if (outcomes.length + said.length > 0) groups.push({ name, outcomes: [...outcomes, ...said] });
  };
  const { documents } = samples;
  await attempt("writes", () => tryWrites(subject, samples.writes));
  for (const name of documents.length > 0 ? viewNames(subject) : []) {
    await attempt(`view ${name}`, () => tryView(subject, name, documents, samples.views[name] ?? {}));
  }
  for (const [name, each] of Object.entries(samples.filters)) {
    await attempt(`filter ${name}`, () => tryFilter(subject, name, documents, each));
  }
  for (const [name, each] of Object.entries(samples.shows)) {
    await attempt(`show ${name}`, () => tryShow(subject, name, each));
  }
  for (const [name, each] of Object.entries(samples.updates)) {
    await attempt(`update ${name}`, () => tryUpdate(subject, name, each));
  }
  for (const [name, each] of Object.entries(samples.lists)) {
    await attempt(`list ${name}`, () => tryList(subject, name, documents, each));
  }
  await attempt("rewrites", () => tryRewrites(subject, samples.rewrites));
  return groups;
}

/** The whole function fails: it takes too long, or too much memory, or its index would not be built. */
function failed(error: unknown): readonly Outcome[] {
  if (!(error instanceof CouchError)) throw error;
  return [{ title: "the function", status: "wrong", details: [`${error.error}: ${error.reason}`] }];
}

function viewNames({ document }: Subject): readonly string[] {
  return Object.keys((document["views"] ?? {}) as object).filter((name) => name !== "lib");
}

function problemsOf(subject: Subject, samples: Samples, file: string): readonly Problem[] {
  const problems: Problem[] = [];
  const must = (isThere: boolean, what: string): void => {
    if (!isThere) problems.push({ file, words: `there is no ${what} in ${subject.document._id}.` });
  };
  if (samples.writes.length > 0) must(functionOf(subject, "validate_doc_update") !== undefined, "validate_doc_update");
  if (samples.rewrites.length > 0) must(functionOf(subject, "rewrites") !== undefined, "function `rewrites`");
  for (const name of Object.keys(samples.views)) must(viewNames(subject).includes(name), `view \`${name}\``);
  for (const kind of ["filters", "shows", "updates", "lists"] as const) {
    for (const name of Object.keys(samples[kind])) {
      must(functionOf(subject, kind, name) !== undefined, `\`${kind}.${name}\``);
    }
  }
  for (const { view } of Object.values(samples.lists).flat())
    must(viewNames(subject).includes(view), `view \`${view}\``);
  const ids = samples.documents.map(({ _id }) => _id).filter((id) => id !== undefined);
  const twice = ids.find((id, index) => ids.indexOf(id) !== index);
  if (twice !== undefined) problems.push({ file, words: `two documents have the id ${JSON.stringify(twice)}.` });
  return problems;
}
