import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CouchError } from "../../protocol/errors.js";
import { parseUserName } from "../../protocol/ids.js";
import type { Identity } from "../../protocol/security.js";
import type { Database } from "../../server/documents/database.js";
import type { Validate, ValidationBatch, ValidationOutcome } from "../../server/documents/validate.js";
import { openHeldDatabase } from "../helpers/held-database.js";
import { changesSince, edit, mustFind, replicated, writeOne } from "../helpers/incoming-revisions.js";
import { linesOf } from "../helpers/revision-trees.js";
import { openTestStore, type TestStore } from "../helpers/temp-store.js";

const ada: Identity = { name: parseUserName("ada"), roles: ["writer"], method: "cookie" };

type Json = Record<string, unknown>;

/** Stands for the sandbox: notes what it is asked, and refuses what the test says. */
class FakeSandbox {
  readonly batches: ValidationBatch[] = [];
  refuse: (newDoc: Json, oldDoc: Json | null) => ValidationOutcome = () => null;
  /** Runs while the functions do. */
  meanwhile: () => Promise<unknown> = async () => undefined;

  readonly validate: Validate = async (batch) => {
    this.batches.push(batch);
    await this.meanwhile();
    return batch.calls.map(({ newDoc, oldDoc }) =>
      this.refuse(JSON.parse(newDoc), oldDoc === null ? null : JSON.parse(oldDoc)),
    );
  };

  /** What the last request's functions were shown. */
  get calls(): { readonly newDoc: Json; readonly oldDoc: Json | null }[] {
    return (this.batches.at(-1)?.calls ?? []).map(({ newDoc, oldDoc }) => ({
      newDoc: JSON.parse(newDoc),
      oldDoc: oldDoc === null ? null : JSON.parse(oldDoc),
    }));
  }
}

const validating = (source = "function () {}"): Record<string, unknown> => ({ validate_doc_update: source });

/** A store whose database `notes` has one validating design document. */
async function open(
  t: Parameters<typeof openTestStore>[0],
): Promise<{ store: TestStore; database: Database; sandbox: FakeSandbox }> {
  const sandbox = new FakeSandbox();
  const store = await openTestStore(t, { validate: sandbox.validate });
  await writeOne(store.database, edit("_design/rules", { body: validating() }));
  assert.equal(sandbox.batches.length, 0);
  return { store, database: store.database, sandbox };
}

const forbidden = (reason: unknown): ValidationOutcome => ({ error: "forbidden", reason, status: 403 });

describe("validation", () => {
  it("is asked of edits, deletions, replicated revisions and attachments, with the caller and the security object", async (t) => {
    const { database, sandbox } = await open(t);
    await database.setSecurity({ members: { names: ["ada"] } });
    const rev = await writeOne(database, edit("a", { body: { n: 1 } }), ada);
    assert.deepEqual(sandbox.batches.at(-1), {
      database: "notes",
      functions: [{ designDoc: "_design/rules", source: "function () {}" }],
      userCtx: { db: "notes", name: "ada", roles: ["writer"] },
      security: { members: { names: ["ada"] } },
      calls: sandbox.batches.at(-1)?.calls,
    });
    await writeOne(database, replicated("b", "1-x 2-y"), ada);
    const contentType = "image/png";
    const content = await database.takeAttachment(Buffer.from("bytes"), { contentType, limit: 100 });
    const attached = await writeOne(
      database,
      edit("a", { on: rev, attachments: [{ kind: "new", name: "f", contentType, content }] }),
      ada,
    );
    await writeOne(database, edit("a", { on: attached, deleted: true }), ada);
    assert.equal(sandbox.batches.length, 4);
  });

  it("is never asked of design documents, local documents and the server's own writes", async (t) => {
    const { database, sandbox } = await open(t);
    sandbox.refuse = () => forbidden("no");
    await writeOne(database, edit("a"), "trusted");
    await writeOne(database, edit("_design/other"), ada);
    await writeOne(database, replicated("_design/third", "1-x"), ada);
    await database.writeLocal("checkpoint", Buffer.from("{}"));
    assert.equal(sandbox.batches.length, 0);
  });

  it("costs nothing without validating design documents", async (t) => {
    const sandbox = new FakeSandbox();
    const { database } = await openTestStore(t, { validate: sandbox.validate });
    await writeOne(database, edit("_design/views", { body: { views: {} } }));
    await writeOne(database, edit("_design/erlang", { body: { language: "erlang", ...validating() } }));
    await writeOne(database, edit("_design/odd", { body: { validate_doc_update: 7 } }));
    const rev = await writeOne(database, edit("_design/gone", { body: validating() }));
    await writeOne(database, edit("_design/gone", { on: rev, deleted: true, body: validating() }));
    await writeOne(database, edit("a"), ada);
    assert.equal(sandbox.batches.length, 0);
  });

  it("shows a new document without revision or history, and an edit with the revision that it is made on", async (t) => {
    const { database, sandbox } = await open(t);
    const one = await writeOne(database, edit("a", { body: { n: 1 } }), ada);
    assert.deepEqual(sandbox.calls, [{ newDoc: { _id: "a", n: 1 }, oldDoc: null }]);
    await writeOne(database, edit("a", { on: one, body: { n: 2 } }), ada);
    const _revisions = { start: 1, ids: [one.slice(2)] };
    const shown = { _id: "a", _rev: one, _revisions };
    assert.deepEqual(sandbox.calls, [{ newDoc: { ...shown, n: 2 }, oldDoc: { ...shown, n: 1 } }]);
  });

  it("shows deletions as such, and a new life of a deleted document with its tombstone", async (t) => {
    const { database, sandbox } = await open(t);
    const one = await writeOne(database, edit("a", { body: { n: 1 } }), ada);
    const two = await writeOne(database, edit("a", { on: one, deleted: true }), ada);
    const [onOne, onTwo] = [
      { start: 1, ids: [one.slice(2)] },
      { start: 2, ids: [two.slice(2), one.slice(2)] },
    ];
    assert.deepEqual(sandbox.calls, [
      {
        newDoc: { _id: "a", _rev: one, _deleted: true, _revisions: onOne },
        oldDoc: { _id: "a", _rev: one, n: 1, _revisions: onOne },
      },
    ]);
    await writeOne(database, edit("a", { body: { n: 3 } }), ada);
    assert.deepEqual(sandbox.calls, [
      {
        newDoc: { _id: "a", _rev: two, n: 3, _revisions: onTwo },
        oldDoc: { _id: "a", _rev: two, _deleted: true, _revisions: onTwo },
      },
    ]);
  });

  it("shows a replicated revision with its own revision, and the nearest ancestor that is here", async (t) => {
    const { database, sandbox } = await open(t);
    await writeOne(database, replicated("a", "1-a", { body: { n: 1 } }));
    await writeOne(database, replicated("a", "1-a 2-b 3-c", { body: { n: 3 } }), ada);
    assert.deepEqual(sandbox.calls, [
      {
        newDoc: { _id: "a", _rev: "3-c", n: 3, _revisions: { start: 3, ids: ["c", "b", "a"] } },
        oldDoc: { _id: "a", _rev: "1-a", n: 1, _revisions: { start: 1, ids: ["a"] } },
      },
    ]);
    await writeOne(database, replicated("a", "1-z", { body: { other: true } }), ada);
    assert.equal(sandbox.calls[0]?.oldDoc, null, "another root has no ancestor here");
  });

  it("shows attachments as stubs, new ones and kept ones", async (t) => {
    const { database, sandbox } = await open(t);
    const contentType = "image/png";
    const content = await database.takeAttachment(Buffer.from("bytes"), { contentType, limit: 100 });
    const one = await writeOne(
      database,
      edit("a", { attachments: [{ kind: "new", name: "f", contentType, content }] }),
      ada,
    );
    const stub = { content_type: contentType, revpos: 1, digest: content.digest, length: 5, stub: true };
    assert.deepEqual(sandbox.calls[0]?.newDoc["_attachments"], { f: stub });
    await writeOne(database, edit("a", { on: one, attachments: [{ kind: "stub", name: "f" }] }), ada);
    const [call] = sandbox.calls;
    assert.deepEqual([call?.newDoc["_attachments"], call?.oldDoc?.["_attachments"]], [{ f: stub }, { f: stub }]);
  });

  it("refuses documents one by one; the rest of the request is written", async (t) => {
    const { database, sandbox } = await open(t);
    sandbox.refuse = ({ ok }) =>
      ok === true
        ? null
        : ok === "who"
          ? { error: "unauthorized", reason: "say who you are", status: 401 }
          : forbidden(`no ${ok}`);
    const request = [
      edit("a", { body: { ok: true } }),
      edit("b", { body: { ok: 1 } }),
      replicated("c", "1-x", { body: { ok: "who" } }),
      replicated("d", "1-x", { body: { ok: true } }),
    ];
    const outcomes = await database.write(request, ada);
    assert.deepEqual(
      outcomes.map(({ id, error }) => [id, error?.error, error?.reason]),
      [
        ["a", undefined, undefined],
        ["b", "forbidden", "no 1"],
        ["c", "unauthorized", "say who you are"],
        ["d", undefined, undefined],
      ],
    );
    assert.equal(sandbox.batches.length, 1, "one batch for the whole request");
    assert.deepEqual(
      (await changesSince(database)).map(([, id]) => id),
      ["_design/rules", "a", "d"],
    );
    assert.equal(database.find("b"), undefined);
  });

  it("answers with the function's own reason, whatever JSON it is, and with the status of the refusal", async (t) => {
    const { database, sandbox } = await open(t);
    const reason = { fields: ["title"], why: null };
    sandbox.refuse = () => forbidden(reason);
    await assert.rejects(writeOne(database, edit("a"), ada), (error) => {
      assert.ok(error instanceof CouchError);
      assert.deepEqual([error.error, error.status, error.detail], ["forbidden", 403, { reason }]);
      return true;
    });
    sandbox.refuse = () => ({ error: "unknown_error", reason: "short and stout", status: 418 });
    await assert.rejects(writeOne(database, edit("a"), ada), {
      error: "unknown_error",
      reason: "short and stout",
      status: 418,
    });
  });

  it("comes after the conflict check: a conflict is not shown to any function", async (t) => {
    const { database, sandbox } = await open(t);
    await writeOne(database, edit("a"));
    sandbox.refuse = () => forbidden("no");
    await assert.rejects(
      writeOne(database, edit("a"), ada),
      (error) => error instanceof CouchError && error.error === "conflict",
    );
    assert.equal(sandbox.batches.length, 0);
  });

  it("is not asked again of a revision that is here: repeating a replication must succeed", async (t) => {
    const { database, sandbox } = await open(t);
    await writeOne(database, replicated("a", "1-a 2-b"), ada);
    sandbox.refuse = () => forbidden("no");
    const outcomes = await database.write([replicated("a", "1-a 2-b"), replicated("a", "1-a 2-c")], ada);
    assert.deepEqual(
      outcomes.map(({ error }) => error?.error),
      [undefined, "forbidden"],
    );
    assert.deepEqual(linesOf(mustFind(database, "a").record.tree), ["1-a? 2-b"]);
  });

  it("does not hold up others, and what they wrote meanwhile is a conflict like any other", async (t) => {
    const { database, sandbox } = await open(t);
    const one = await writeOne(database, edit("a"));
    sandbox.meanwhile = async () => {
      sandbox.meanwhile = async () => undefined;
      await writeOne(database, edit("a", { on: one, body: { by: "the server" } }));
      await writeOne(database, edit("b"), ada);
    };
    await assert.rejects(
      writeOne(database, edit("a", { on: one, body: { by: "ada" } }), ada),
      (error) => error instanceof CouchError && error.error === "conflict",
    );
    assert.ok(database.find("b"));
  });

  it("keeps a request out whose database is deleted while its functions run", async (t) => {
    const { store, database, sandbox } = await open(t);
    sandbox.meanwhile = () => store.databases.delete(database.name);
    await assert.rejects(
      database.write([edit("a")], ada),
      (error) => error instanceof CouchError && error.error === "not_found",
    );
    assert.equal(database.find("a"), undefined);
  });
});

describe("changing a design document", () => {
  const sourcesOf = (sandbox: FakeSandbox): string[] =>
    (sandbox.batches.at(-1)?.functions ?? []).map(({ source }) => source);

  it("changes the functions for the next write", async (t) => {
    const { database, sandbox } = await open(t);
    await writeOne(database, edit("a"), ada);
    assert.deepEqual(sourcesOf(sandbox), ["function () {}"]);
    await writeOne(database, edit("_design/more", { body: validating("second") }));
    await writeOne(database, edit("b"), ada);
    assert.deepEqual(sourcesOf(sandbox), ["second", "function () {}"]);
    const rules = revOfWinner(database, "_design/rules");
    const changed = await writeOne(database, edit("_design/rules", { on: rules, body: validating("third") }));
    await writeOne(database, edit("c"), ada);
    assert.deepEqual(sourcesOf(sandbox), ["second", "third"]);
    await writeOne(database, edit("_design/rules", { on: changed, deleted: true }));
    await writeOne(database, edit("d"), ada);
    assert.deepEqual(sourcesOf(sandbox), ["second"]);
    const more = revOfWinner(database, "_design/more");
    await writeOne(database, edit("_design/more", { on: more, body: { views: {} } }));
    const asked = sandbox.batches.length;
    await writeOne(database, edit("e"), ada);
    assert.equal(sandbox.batches.length, asked, "nothing validates any more");
  });

  it("changes them also when the winner of a conflict brings the new functions", async (t) => {
    const { database, sandbox } = await open(t);
    await writeOne(database, edit("a"), ada);
    await writeOne(database, replicated("_design/rules", "1-x 2-y", { body: validating("from elsewhere") }), ada);
    await writeOne(database, edit("b"), ada);
    assert.deepEqual(sourcesOf(sandbox), ["from elsewhere"]);
  });

  it("is noticed though the old functions were just being read", async (t) => {
    const sandbox = new FakeSandbox();
    const { store, database } = openHeldDatabase(t, { validate: sandbox.validate });
    store.holding = false;
    const rules = await writeOne(database, edit("_design/rules", { body: validating("old") }));
    // The first write of others reads the design documents; they change before it has them all.
    let goOn = (): void => undefined;
    store.rangeGate = new Promise((resolve) => {
      goOn = resolve;
    });
    const early = writeOne(database, edit("a"), ada);
    await writeOne(database, edit("_design/rules", { on: rules, body: validating("new") }));
    goOn();
    await early;
    assert.deepEqual(sourcesOf(sandbox), ["old"]);
    await writeOne(database, edit("b"), ada);
    assert.deepEqual(sourcesOf(sandbox), ["new"]);
  });

  it("shares realms by the key that the server gives for a source", async (t) => {
    const sandbox = new FakeSandbox();
    const shareKeyOf = (source: string): string | undefined => (source === "ours" ? "template" : undefined);
    const { database } = await openTestStore(t, { validate: sandbox.validate, shareKeyOf });
    await writeOne(database, edit("_design/a", { body: validating("ours") }));
    await writeOne(database, edit("_design/b", { body: validating("theirs") }));
    await writeOne(database, edit("x"), ada);
    assert.deepEqual(sandbox.batches.at(-1)?.functions, [
      { designDoc: "_design/a", source: "ours", shareKey: "template" },
      { designDoc: "_design/b", source: "theirs" },
    ]);
  });
});

function revOfWinner(database: Database, id: string): string {
  const { tree, winner } = mustFind(database, id).record;
  const node = tree[winner];
  return `${node?.generation}-${node?.hash}`;
}
