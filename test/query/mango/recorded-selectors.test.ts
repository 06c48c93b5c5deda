/** What CouchDB found, and what it refused: every recorded `_find` of the scenarios on selectors. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import { CouchError } from "../../../protocol/errors.js";
import { compileSelector } from "../../../server/query/mango/match.js";
import { parseSelector, type Selector } from "../../../server/query/mango/selector.js";
import { readScenario, type Step } from "../../conformance/scenario.js";
import { repositoryRoot } from "../../helpers/repository-root.js";

type Document = Readonly<Record<string, unknown>>;

interface Body {
  readonly selector?: unknown;
  readonly docs?: readonly Document[];
}

/** Steps that ask something else than a selector, and where we are clearer than CouchDB. */
const others = new Set([
  "no selector",
  "body an array",
  "not JSON",
  "wrong content type",
  "GET",
  "PUT",
  "unknown database",
]);
const clearer: Readonly<Record<string, string>> = {
  $text: "not_supported: Unsupported operator: $text",
  "$mod by 0": "bad_arg: Bad argument for operator $mod: [0,1]",
};

for (const name of ["50-mango-arrays", "50-mango-bad", "50-mango-comparison", "50-mango-logic"]) {
  describe(name, () => {
    const { steps } = readScenario(join(repositoryRoot, "test", "conformance", "couchdb-3.5.0", `${name}.json`));
    const documents = steps.flatMap(({ body }) => (body as Body | undefined)?.docs ?? []).map(stored);
    assert.equal(documents.length, 8);
    const finds = steps.filter(({ name, path }) => path === "/{{db}}/_find" && !others.has(name));
    assert.ok(finds.length > 25);
    for (const step of finds) {
      test(step.name, () => assert.deepEqual(found(step, documents), clearer[step.name] ?? wanted(step)));
    }
  });
}

/** As `_find` has it: with a revision, and parsed. */
function stored(document: Document): unknown {
  return { _id: document["_id"], _rev: "1-967a00dff5e02add41819138abb3284d", ...document };
}

function wanted({ want }: Step): unknown {
  const { docs, error, reason } = want.json as { docs?: Document[]; error?: string; reason?: string };
  return want.status === 200 ? docs?.map((document) => document["_id"]) : `${error}: ${reason}`;
}

function found({ body }: Step, documents: readonly unknown[]): unknown {
  try {
    const selector = parseSelector((body as Body).selector);
    if (isEmptyList(selector)) return [];
    return documents.filter(compileSelector(selector)).map((document) => (document as Document)["_id"]);
  } catch (error) {
    assert.ok(error instanceof CouchError, String(error));
    assert.equal(error.status, 400);
    return `${error.error}: ${error.reason}`;
  }
}

/** CouchDB plans no search for such a selector, though an empty list within a larger one refuses nothing. */
function isEmptyList(selector: Selector): boolean {
  return (selector.kind === "and" || selector.kind === "or") && selector.of.length === 0;
}
