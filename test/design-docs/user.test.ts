import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { promisify } from "node:util";
import { runInNewContext } from "node:vm";
import { loadTemplates } from "../../server/gateway/design-docs/source.js";
import { Sandbox } from "../../server/sandbox/sandbox.js";
import { repositoryRoot } from "../helpers/repository-root.js";

const folder = join(repositoryRoot, "design-docs");
const template = (await loadTemplates(folder)).get("user");
const app = template?.designDocuments[0] as unknown as {
  readonly _id: string;
  readonly views: { readonly "by-type": { readonly map: string; readonly reduce: string } };
  readonly filters: { readonly "by-type": string };
  readonly validate_doc_update: string;
};

interface Write {
  readonly doc: object;
  readonly old?: object;
  readonly user?: string | null;
  readonly roles?: readonly string[];
}

/** "accepted", or `error: reason`, for each write. */
async function judge(t: TestContext, writes: readonly Write[]): Promise<readonly string[]> {
  const sandbox = new Sandbox({ workers: 1 });
  t.after(() => sandbox.close());
  const answers: string[] = [];
  for (const { doc, old, user = "ada", roles = [] } of writes) {
    const [outcome] = await sandbox.validate({
      database: "userdb-616461",
      functions: [{ designDoc: app._id, source: app.validate_doc_update, shareKey: "user" }],
      userCtx: { db: "userdb-616461", name: user, roles },
      security: { members: { names: ["ada"] } },
      calls: [
        {
          newDoc: JSON.stringify({ _id: "note-7", ...doc }),
          oldDoc: old ? JSON.stringify({ _id: "note-7", ...old }) : null,
        },
      ],
    });
    answers.push(outcome ? `${outcome.error}: ${outcome.reason}` : "accepted");
  }
  return answers;
}

const noType = "forbidden: A document must have a `type` that is a string.";
const notYours = "forbidden: A new document's `owner` must be your own user name.";
const kept = "forbidden: The `owner` of a document cannot be changed.";
const admin = { user: "root", roles: ["_admin"] };

const cases: readonly (Write & { readonly name: string; readonly answer: string })[] = [
  { name: "a document with a type", doc: { type: "note" }, answer: "accepted" },
  { name: "a document without a type", doc: { text: "x" }, answer: noType },
  { name: "a type that is no string", doc: { type: 7 }, answer: noType },
  { name: "a type that an administrator forgot", doc: {}, ...admin, answer: noType },
  { name: "one's own document", doc: { type: "note", owner: "ada" }, answer: "accepted" },
  { name: "a document in somebody else's name", doc: { type: "note", owner: "bob" }, answer: notYours },
  { name: "a document in a guest's name", doc: { type: "note", owner: "ada" }, user: null, answer: notYours },
  {
    name: "a document that an administrator makes for a user",
    doc: { type: "note", owner: "bob" },
    ...admin,
    answer: "accepted",
  },
  {
    name: "an edit that keeps the owner",
    doc: { type: "note", owner: "bob", n: 2 },
    old: { type: "note", owner: "bob" },
    answer: "accepted",
  },
  {
    name: "an edit that changes the owner",
    doc: { type: "note", owner: "ada" },
    old: { type: "note", owner: "bob" },
    answer: kept,
  },
  { name: "an edit that drops the owner", doc: { type: "note" }, old: { type: "note", owner: "ada" }, answer: kept },
  {
    name: "an administrator who changes the owner",
    doc: { type: "note", owner: "ada" },
    old: { type: "note", owner: "bob" },
    ...admin,
    answer: kept,
  },
  {
    name: "an owner set later, oneself",
    doc: { type: "note", owner: "ada" },
    old: { type: "note" },
    answer: "accepted",
  },
  {
    name: "an owner set later, somebody else",
    doc: { type: "note", owner: "bob" },
    old: { type: "note" },
    answer: notYours,
  },
  {
    name: "a deletion with nothing but its mark",
    doc: { _deleted: true },
    old: { type: "note", owner: "bob" },
    answer: "accepted",
  },
  { name: "a deletion of what was never here", doc: { _deleted: true }, answer: "accepted" },
  {
    name: "a deletion by an administrator",
    doc: { _deleted: true },
    old: { type: "note" },
    ...admin,
    answer: "accepted",
  },
  {
    name: "a new document where one was deleted",
    doc: { type: "note", owner: "ada" },
    old: { _deleted: true, owner: "bob" },
    answer: "accepted",
  },
  {
    name: "a document of older times without a type, repaired",
    doc: { type: "note" },
    old: { text: "x" },
    answer: "accepted",
  },
  { name: "a design document", doc: { _id: "_design/mine", views: {} }, answer: "accepted" },
];

test("what may be written to a user's database", async (t) => {
  const answers = await judge(t, cases);
  for (const [index, { name, answer }] of cases.entries()) {
    await t.test(name, () => assert.equal(answers[index], answer));
  }
});

test("by-type has a row for each document that has a type", () => {
  const rows: unknown[] = [];
  const emit = (key: unknown, value: unknown) => rows.push([key, value]);
  const docs = [{ type: "note", createdAt: "2026-01-31" }, { type: "task" }, { type: 7 }, {}];
  for (const doc of docs) runInNewContext(`(${app.views["by-type"].map})(doc)`, { doc, emit });
  assert.deepEqual(JSON.parse(JSON.stringify(rows)), [
    [["note", "2026-01-31"], null],
    [["task", null], null],
  ]);
  assert.equal(app.views["by-type"].reduce, "_count");
});

test("the by-type filter passes one type, and deletions", () => {
  const passes = (doc: object) =>
    runInNewContext(`(${app.filters["by-type"]})(doc, { query: { type: "note" } })`, { doc }) as boolean;
  assert.deepEqual([{ type: "note" }, { type: "task" }, { _deleted: true }].map(passes), [true, false, true]);
});

test("the sources have the types of their world, which has no DOM and no Node in it", async () => {
  const compiler = join(repositoryRoot, "node_modules", "typescript", "bin", "tsc");
  await promisify(execFile)(process.execPath, [compiler, "-p", folder, "--noEmit"]);
});
