/**
 * Templates: `FOLDER/TEMPLATE/NAME.ts` is the source of `_design/NAME` in every database made from TEMPLATE. How a file
 * is written is told in `design-docs/design-doc.ts`. These are the operator's own files; all the same they are not
 * loaded into the server, but bundled, looked into in a sandbox's realm, and cut into functions.
 */
import { createHash } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { CouchError } from "../../protocol/errors.js";
import type { JsonDocument } from "../backend/backend.js";
import { checkFunctions, outline } from "../sandbox/outline.js";
import { type BundledModule, BundleError, bundleFile, withEsbuild } from "./design-doc-bundle.js";
import { cutFunction } from "./design-doc-function.js";
import { MemberError, membersOf } from "./design-doc-members.js";

export interface Template {
  /** The folder's name, e.g. `user`. */
  readonly name: string;
  /** Changes when a design document does: 32 hex digits. */
  readonly version: string;
  /** In order of their ids; without revisions. */
  readonly designDocuments: readonly JsonDocument[];
}

/** A file or folder is not as it should be. The message names it and says what is wrong. */
export class TemplateError extends Error {
  constructor(path: string, words: string, cause?: unknown) {
    super(`${path}: ${words}`, { cause });
    this.name = "TemplateError";
  }
}

const templateName = /^[a-z][a-z0-9-]*$/;
const fileName = /^([A-Za-z0-9][\w.-]*)\.ts$/;

/** All templates of a folder, by name. @throws TemplateError */
export async function loadTemplates(folder: string): Promise<ReadonlyMap<string, Template>> {
  const entries = await list(folder);
  const names = entries.filter((entry) => entry.isDirectory() && !/^[._]|^node_modules$/.test(entry.name));
  return await withEsbuild(async () => {
    const templates = new Map<string, Template>();
    for (const { name } of names) templates.set(name, await loadTemplate(folder, name));
    return templates;
  });
}

async function loadTemplate(folder: string, name: string): Promise<Template> {
  if (!templateName.test(name)) {
    throw new TemplateError(join(folder, name), "a template's name consists of small letters, digits and hyphens.");
  }
  const designDocuments: JsonDocument[] = [];
  for (const entry of await list(join(folder, name))) {
    if (!entry.isFile() || !entry.name.endsWith(".ts") || entry.name.endsWith(".d.ts")) continue;
    const id = fileName.exec(entry.name)?.[1];
    const path = join(folder, name, entry.name);
    if (id === undefined) throw new TemplateError(path, "the file's name is not fit for a design document.");
    designDocuments.push(await loadDesignDocument(folder, join(name, entry.name), `_design/${id}`));
  }
  return { name, version: versionOf(designDocuments), designDocuments };
}

async function loadDesignDocument(folder: string, file: string, id: string): Promise<JsonDocument> {
  const path = join(folder, file);
  try {
    const module = await bundleFile(folder, file);
    const { functions, data } = membersOf(await outline(moduleExpression(module)));
    const document = { _id: id, language: "javascript" };
    const sources: string[] = [];
    for (const member of functions) {
      const source = await cutFunction(module, member);
      sources.push(source);
      put(document, member.path, source);
    }
    for (const { path, value } of data) put(document, path, value);
    await checkFunctions(sources);
    return document;
  } catch (error) {
    if (error instanceof BundleError || error instanceof MemberError)
      throw new TemplateError(path, error.message, error);
    if (error instanceof CouchError) throw new TemplateError(path, error.reason, error);
    throw error;
  }
}

async function list(folder: string) {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    throw new TemplateError(folder, "the folder cannot be read.", error);
  }
}

/** The module as an expression that is worth its exports. */
function moduleExpression({ body, exports }: BundledModule): string {
  const members = [...exports].map(([name, local]) => `${JSON.stringify(name)}: ${local}`);
  return `(function () {\n"use strict";\n${body}\nreturn { ${members.join(", ")} };\n})()`;
}

function put(document: object, path: readonly string[], value: unknown): void {
  let parent = document as Record<string, unknown>;
  for (const name of path.slice(0, -1)) {
    parent[name] ??= {};
    parent = parent[name] as Record<string, unknown>;
  }
  parent[path.at(-1) as string] = value;
}

function versionOf(designDocuments: readonly JsonDocument[]): string {
  return createHash("sha256").update(JSON.stringify(designDocuments)).digest("hex").slice(0, 32);
}
