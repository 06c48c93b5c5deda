/** The template that is shipped. Its samples say what it does. */
import assert from "node:assert/strict";
import { join } from "node:path";
import test from "node:test";
import { checkFolder } from "../../server/commands/design-check/check-folder.js";
import { repositoryRoot } from "../helpers/repository-root.js";

test("the shipped template is what its samples say, and each of its functions has some", async () => {
  const [file, ...others] = await checkFolder(join(repositoryRoot, "design-docs"));
  assert.deepEqual([file?.id, others, file?.problems, file?.warnings], ["_design/app", [], [], []]);
  const outcomes = (file?.tried ?? []).flatMap(({ name, outcomes }) =>
    outcomes.map(({ title, status }) => `${name}: ${title}: ${status}`),
  );
  assert.deepEqual(
    outcomes.filter((outcome) => !outcome.endsWith(": right")),
    [],
  );
  assert.deepEqual(file?.functions, ["filters.by-type", "validate_doc_update", "views.by-type.map"]);
  assert.deepEqual(
    file?.tried?.map(({ name }) => name),
    ["writes", "view by-type", "filter by-type"],
  );
  assert.equal(outcomes.length, 24);
});
