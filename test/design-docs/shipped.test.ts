/** The templates that are shipped. Their samples say what they do. */
import assert from "node:assert/strict";
import { join } from "node:path";
import test from "node:test";
import { checkFolder } from "../../server/commands/design-check/check-folder.js";
import { repositoryRoot } from "../helpers/repository-root.js";

test("the shipped templates are what their samples say, and each of their functions has some", async () => {
  const files = await checkFolder(join(repositoryRoot, "design-docs"));
  assert.deepEqual(
    files.map(({ file }) => file.split("/").slice(-2).join("/")),
    ["shared/app.ts", "user/app.ts"],
  );
  for (const { id, problems, warnings, functions, tried } of files) {
    assert.deepEqual([id, problems, warnings], ["_design/app", [], []]);
    const outcomes = (tried ?? []).flatMap(({ name, outcomes }) =>
      outcomes.map(({ title, status }) => `${name}: ${title}: ${status}`),
    );
    assert.deepEqual(
      outcomes.filter((outcome) => !outcome.endsWith(": right")),
      [],
    );
    assert.deepEqual(functions, ["filters.by-type", "validate_doc_update", "views.by-type.map"]);
    assert.deepEqual(
      tried?.map(({ name }) => name),
      ["writes", "view by-type", "filter by-type"],
    );
    assert.equal(outcomes.length, 24);
  }
});
