/** The guide's examples do what it says they do. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { checkFolder } from "../../server/commands/design-check/check-folder.js";
import { printChecked } from "../../server/commands/design-check/print.js";
import { loadTemplates } from "../../server/gateway/design-docs/source.js";
import { compileTypes } from "../helpers/compile-types.js";
import { repositoryRoot } from "../helpers/repository-root.js";
import { folderWith } from "../helpers/template-folder.js";

const page = readFileSync(join(repositoryRoot, "docs", "design-documents.md"), "utf8");

/** Code below a paragraph that begins with the name of its file. */
const files = Object.fromEntries(
  [...page.matchAll(/^`(design-docs\/[^`]+)`[^\n]*:\n\n```\w+\n([\s\S]*?)^```$/gm)].map(([, path = "", text = ""]) => [
    path,
    text,
  ]),
);

/** The block of code that follows some words. */
function blockAfter(words: string): string {
  const from = page.slice(page.indexOf(words));
  return /^```\w+\n([\s\S]*?)^```$/m.exec(from)?.[1] ?? "";
}

async function checked(
  t: TestContext,
  change: (path: string, text: string) => string = (_, text) => text,
): Promise<string> {
  const changed = Object.entries(files).map(([path, text]) => [path, change(path, text)]);
  const folder = await folderWith(t, Object.fromEntries(changed));
  return printChecked(await checkFolder(join(folder, "design-docs")), folder);
}

test("the check of the guide's files prints what the guide shows", async (t) => {
  assert.deepEqual(
    Object.keys(files),
    ["user/notes.ts", "user/lib/note.ts", "tsconfig.json", "user/notes.samples.ts"].map(
      (path) => `design-docs/${path}`,
    ),
  );
  assert.equal(await checked(t), blockAfter("`npx settee design check`:"));
});

test("the filter is deployed as the guide shows it", async (t) => {
  const templates = await loadTemplates(join(await folderWith(t, files), "design-docs"));
  const [notes] = templates.get("user")?.designDocuments ?? [];
  assert.deepEqual({ filters: notes?.["filters"] }, JSON.parse(blockAfter("So `_design/notes` can be read")));
});

test("the guide's files have the right types", async (t) => {
  const folder = await folderWith(t, files);
  await mkdir(join(folder, "node_modules"));
  await symlink(repositoryRoot, join(folder, "node_modules", "settee"));
  assert.equal(await compileTypes(join(folder, "design-docs")), "");
});

test("the mistakes are told as the guide tells them", async (t) => {
  const [misspelt = "", node = "", browser = ""] = blockAfter("Mistakes are told").split("\n");
  const lib = "design-docs/user/lib/note.ts";
  const printed = [
    await checked(t, (_, text) => text.replace('reduce: "_count"', 'redcue: "_count"')),
    await checked(t, (path, text) =>
      path === lib ? `import { readFileSync } from "node:fs";\nexport const read = readFileSync;\n${text}` : text,
    ),
    await checked(t, (path, text) =>
      path === lib ? text.replace("  if (typeof", '  if (fetch("x")) return "";\n  if (typeof') : text,
    ),
  ];
  for (const [index, line] of [misspelt, node, browser].entries()) {
    assert.ok(printed[index]?.split("\n").includes(line), `${line}\nis not in\n${printed[index]}`);
  }
});
