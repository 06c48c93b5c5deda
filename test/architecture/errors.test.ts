import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { catalogue } from "../../protocol/errors.js";
import { repositoryRoot } from "../helpers/repository-root.js";

interface Documented {
  readonly error: string;
  readonly status: number;
  readonly cause: string;
  readonly remedy: string;
}

const page = readFileSync(join(repositoryRoot, "docs", "errors.md"), "utf8");

/** Rows of the table: `| \`error\` | status | cause | remedy |`. */
function documented(): readonly Documented[] {
  return [...page.matchAll(/^\| `([\w ]+)` \| (\d{3}) \| (.+?) \| (.+?) \|$/gm)].map(
    ([, error = "", status, cause = "", remedy = ""]) => ({ error, status: Number(status), cause, remedy }),
  );
}

test("docs/errors.md and the catalogue name the same errors with the same statuses", () => {
  const inCatalogue = Object.entries(catalogue).map(([error, { status }]) => `${error} ${status}`);
  const inDocs = documented().map(({ error, status }) => `${error} ${status}`);
  assert.deepEqual(inDocs.toSorted(), inCatalogue.toSorted());
});

test("every error of docs/errors.md has a cause and a remedy", () => {
  const rows = documented();
  assert.ok(rows.length > 0, "the table was not found");
  for (const { error, cause, remedy } of rows) {
    assert.ok(cause.trim().length > 10, `${error} has no cause`);
    assert.ok(remedy.trim().length > 10, `${error} has no remedy`);
  }
});
