/**
 * Templates: `FOLDER/TEMPLATE/NAME.ts` is the source of `_design/NAME` in every database made from TEMPLATE. How a file
 * is written is told in `design-docs/design-doc.ts`.
 */
import { createHash } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { JsonDocument } from "../../backend/backend.js";
import { withEsbuild } from "./bundle.js";
import { compileDesignDocument } from "./compile.js";
import { type Problem, TemplateError } from "./problem.js";

export { TemplateError } from "./problem.js";

export interface Template {
  /** The folder's name, e.g. `user`. */
  readonly name: string;
  /** Changes when a design document does: 32 hex digits. */
  readonly version: string;
  /** In order of their ids; without revisions. */
  readonly designDocuments: readonly JsonDocument[];
}

export interface TemplateFiles {
  readonly name: string;
  readonly files: readonly TemplateFile[];
}

export interface TemplateFile {
  /** Relative to the folder of templates. */
  readonly file: string;
  /** Of the design document. */
  readonly id: string;
  /** Relative too; undefined when there are no samples. */
  readonly samples: string | undefined;
}

const templateName = /^[a-z][a-z0-9-]*$/;
const fileName = /^([A-Za-z0-9][\w.-]*)\.ts$/;
const isSamples = /\.samples\.(?:ts|json)$/;

/** All templates of a folder, by name. @throws TemplateError with everything that is wrong */
export async function loadTemplates(folder: string): Promise<ReadonlyMap<string, Template>> {
  return await withEsbuild(async () => {
    const templates = new Map<string, Template>();
    const problems: Problem[] = [];
    for (const { name, files } of await listTemplates(folder)) {
      const designDocuments: JsonDocument[] = [];
      for (const { file, id } of files) {
        try {
          designDocuments.push((await compileDesignDocument(folder, file, id)).document);
        } catch (error) {
          if (!(error instanceof TemplateError)) throw error;
          problems.push(...error.problems);
        }
      }
      templates.set(name, { name, version: versionOf(designDocuments), designDocuments });
    }
    if (problems.length > 0) throw new TemplateError(problems);
    return templates;
  });
}

/** @throws TemplateError */
export async function listTemplates(folder: string): Promise<readonly TemplateFiles[]> {
  const templates: TemplateFiles[] = [];
  for (const entry of await list(folder)) {
    if (!entry.isDirectory() || /^[._]|^node_modules$/.test(entry.name)) continue;
    templates.push(await listFiles(folder, entry.name));
  }
  return templates;
}

async function listFiles(folder: string, name: string): Promise<TemplateFiles> {
  if (!templateName.test(name)) {
    throw wrong(join(folder, name), "a template's name consists of small letters, digits and hyphens.");
  }
  const names = (await list(join(folder, name))).filter((entry) => entry.isFile()).map((entry) => entry.name);
  const files: TemplateFile[] = [];
  for (const each of names) {
    if (!each.endsWith(".ts") || each.endsWith(".d.ts") || isSamples.test(each)) continue;
    const base = fileName.exec(each)?.[1];
    if (base === undefined) throw wrong(join(folder, name, each), "the file's name is not fit for a design document.");
    const samples = [`${base}.samples.ts`, `${base}.samples.json`].find((sample) => names.includes(sample));
    files.push({ file: join(name, each), id: `_design/${base}`, samples: samples && join(name, samples) });
  }
  const orphan = names.find((each) => isSamples.test(each) && !names.includes(each.replace(isSamples, ".ts")));
  if (orphan !== undefined) {
    throw wrong(
      join(folder, name, orphan),
      `there is no ${orphan.replace(isSamples, ".ts")} that these could be samples for.`,
    );
  }
  return { name, files };
}

async function list(folder: string) {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    throw wrong(folder, "the folder cannot be read.", error);
  }
}

function wrong(file: string, words: string, cause?: unknown): TemplateError {
  return new TemplateError([{ file, words }], cause);
}

function versionOf(designDocuments: readonly JsonDocument[]): string {
  return createHash("sha256").update(JSON.stringify(designDocuments)).digest("hex").slice(0, 32);
}
