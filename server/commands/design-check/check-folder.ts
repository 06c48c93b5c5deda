/** Compiles every template of a folder, checks it as a server would, and tries it with its samples. */
import { join } from "node:path";
import { CouchError } from "../../../protocol/errors.js";
import { checkDesignDocument } from "../../documents/design-document.js";
import { withEsbuild } from "../../gateway/design-docs/bundle.js";
import { type CompiledDesignDocument, compileDesignDocument } from "../../gateway/design-docs/compile.js";
import { type Problem, TemplateError } from "../../gateway/design-docs/problem.js";
import { listTemplates, type TemplateFile } from "../../gateway/design-docs/source.js";
import { userTemplate } from "../../gateway/provisioning.js";
import { Sandbox } from "../../sandbox/sandbox.js";
import { missingGlobals } from "./missing-globals.js";
import type { OutcomeGroup } from "./outcome.js";
import { loadSamples } from "./samples.js";
import { trySamples } from "./try-samples.js";

export interface CheckedFile {
  /** An absolute path. */
  readonly file: string;
  readonly id: string;
  /** The design document cannot be deployed, or its samples cannot be read. */
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
  /** Functions that are deployed, e.g. `views.by-type.map`. */
  readonly functions: readonly string[];
  /** Undefined: there are no samples. */
  readonly tried: readonly OutcomeGroup[] | undefined;
}

/** @throws TemplateError when the folder is not one of templates at all */
export async function checkFolder(folder: string): Promise<readonly CheckedFile[]> {
  const logged: string[] = [];
  const sandbox = new Sandbox({ workers: 1, log: ({ message }) => logged.push(message) });
  try {
    return await withEsbuild(async () => {
      const checked: CheckedFile[] = [];
      for (const { name, files } of await listTemplates(folder)) {
        for (const file of files) checked.push(await checkFile(folder, name, file, sandbox, logged));
      }
      return checked;
    });
  } finally {
    await sandbox.close();
  }
}

async function checkFile(
  folder: string,
  template: string,
  { file, id, samples }: TemplateFile,
  sandbox: Sandbox,
  logged: string[],
): Promise<CheckedFile> {
  const problems: Problem[] = [];
  const warnings: Problem[] = [];
  let compiled: CompiledDesignDocument | undefined;
  let tried: readonly OutcomeGroup[] | undefined;
  try {
    compiled = await compileDesignDocument(folder, file, id);
    warnings.push(...compiled.module.warnings, ...(await missingGlobals(compiled)));
    await checkAsSaved(compiled, template, join(folder, file), sandbox);
    if (samples !== undefined) {
      const subject = { document: compiled.document, shareKey: `${template}/${id}`, sandbox };
      tried = await trySamples(subject, await loadSamples(folder, samples), join(folder, samples), logged);
    }
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    problems.push(...error.problems);
  }
  const functions = compiled?.functions.map(({ path }) => path.join(".")) ?? [];
  return { file: join(folder, file), id, problems, warnings, functions, tried };
}

/** By the rules that hold when a design document is saved. @throws TemplateError */
async function checkAsSaved(
  { document, placeOf }: CompiledDesignDocument,
  template: string,
  file: string,
  sandbox: Sandbox,
): Promise<void> {
  const compile = (sources: readonly string[]) => sandbox.compile({ database: "", designDoc: document._id, sources });
  try {
    // Users' own databases are not partitioned; what others are, their makers decide.
    await checkDesignDocument(document, { partitioned: template !== userTemplate, compile });
  } catch (error) {
    if (!(error instanceof CouchError)) throw error;
    const place = error.reason.startsWith("partitioned") ? placeOf(["options", "partitioned"]) : { file };
    throw new TemplateError([{ ...place, words: `${error.error}: ${error.reason}` }], error);
  }
}
