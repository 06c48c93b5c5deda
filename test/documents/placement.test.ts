import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CouchError, type ErrorName } from "../../protocol/errors.js";
import type { AttachmentInfo } from "../../server/documents/attachments/attachment-info.js";
import type { DocumentRecord, RevisionValue } from "../../server/documents/document-record.js";
import type { IncomingRevision, NewAttachment } from "../../server/documents/incoming-revision.js";
import { place } from "../../server/documents/placement.js";
import { type RevisionTree, revOf } from "../../server/documents/revisions/tree.js";
import { winnerOf } from "../../server/documents/revisions/winner.js";
import { edit, replicated } from "../helpers/incoming-revisions.js";
import { treeOf } from "../helpers/revision-trees.js";

const photo: AttachmentInfo = {
  name: "photo",
  contentType: "image/png",
  revpos: 2,
  digest: "md5-x",
  length: 9,
  storedLength: 9,
};

function recordOf(lines: readonly string[]): DocumentRecord | undefined {
  if (lines.length === 0) return undefined;
  const tree: RevisionTree = treeOf(...lines);
  return { tree, winner: winnerOf(tree), seq: 1, inline: undefined };
}

/** Every stored revision has the photo, and a body that says which one it is. */
function read(record: DocumentRecord, index: number): RevisionValue | undefined {
  const node = record.tree[index];
  return node?.stored ? { body: Buffer.from(JSON.stringify(revOf(node))), attachments: [photo] } : undefined;
}

interface PlacementCase {
  readonly name: string;
  readonly tree: readonly string[];
  readonly incoming: IncomingRevision;
  /** The history under the new revision, newest first; an error's name when it is refused. */
  readonly on: readonly string[] | ErrorName;
  /** What the new revision is validated against. */
  readonly ancestor?: string;
}

const mustExist = (revision: IncomingRevision): IncomingRevision =>
  revision.origin.kind === "edit" ? { ...revision, origin: { ...revision.origin, mustExist: true } } : revision;

const cases: readonly PlacementCase[] = [
  { name: "a new document", tree: [], incoming: edit("a"), on: [] },
  { name: "a deletion of what was never there", tree: [], incoming: edit("a", { deleted: true }), on: [] },
  // CouchDB believes a parent that nobody here has seen, when there is no document at all.
  { name: "a new document with a revision", tree: [], incoming: edit("a", { on: "4-x" }), on: ["4-x"] },
  { name: "a new document with a history", tree: [], incoming: mustExist(edit("a", { on: "4-x" })), on: "conflict" },
  { name: "a new document with revision 0", tree: [], incoming: edit("a", { on: "0-x" }), on: [] },
  //   1-a ── 2-b
  {
    name: "an edit of the leaf",
    tree: ["1-a 2-b"],
    incoming: edit("a", { on: "2-b" }),
    on: ["2-b", "1-a"],
    ancestor: "2-b",
  },
  { name: "an edit of an older revision", tree: ["1-a 2-b"], incoming: edit("a", { on: "1-a" }), on: "conflict" },
  { name: "an edit of an unknown revision", tree: ["1-a 2-b"], incoming: edit("a", { on: "2-x" }), on: "conflict" },
  { name: "an edit without a revision", tree: ["1-a 2-b"], incoming: edit("a"), on: "conflict" },
  {
    name: "an edit with revision 0 of a document that is there",
    tree: ["1-a"],
    incoming: edit("a", { on: "0-x" }),
    on: "conflict",
  },
  { name: "a deletion without a revision", tree: ["1-a"], incoming: edit("a", { deleted: true }), on: "conflict" },
  {
    name: "a deletion",
    tree: ["1-a"],
    incoming: edit("a", { on: "1-a", deleted: true }),
    on: ["1-a"],
    ancestor: "1-a",
  },
  //   1-a ── 2-b (deleted): a new life goes on where the old one ended
  {
    name: "a new life of a deleted document",
    tree: ["1-a 2-b!"],
    incoming: edit("a"),
    on: ["2-b", "1-a"],
    ancestor: "2-b",
  },
  {
    name: "a new life that names the tombstone",
    tree: ["1-a 2-b!"],
    incoming: edit("a", { on: "2-b" }),
    on: "conflict",
  },
  { name: "a second deletion", tree: ["1-a 2-b!"], incoming: edit("a", { deleted: true }), on: "conflict" },
  //   1-a ─┬ 2-b
  //        └ 2-c ◄
  {
    name: "an edit of a losing leaf",
    tree: ["1-a 2-b", "1-a 2-c"],
    incoming: edit("a", { on: "2-b" }),
    on: ["2-b", "1-a"],
    ancestor: "2-b",
  },
  //   1-a ─┬ 2-b ◄
  //        └ 2-c (deleted)
  {
    name: "an edit of a deleted leaf beside a living one",
    tree: ["1-a 2-b", "1-a 2-c!"],
    incoming: edit("a", { on: "2-c" }),
    on: ["2-c", "1-a"],
    ancestor: "2-c",
  },
  //   1-a ── 2-b          a replicated revision is never a conflict
  {
    name: "a replicated edit of an older revision",
    tree: ["1-a 2-b"],
    incoming: replicated("a", "1-a 2-x"),
    on: ["1-a"],
    ancestor: "1-a",
  },
  { name: "a replicated revision of a new document", tree: [], incoming: replicated("a", "1-a 2-x"), on: ["1-a"] },
  // Bodies of 2-b and 1-a: the nearest that can be read is the old document.
  {
    name: "a replicated revision far ahead",
    tree: ["1-a 2-b"],
    incoming: replicated("a", "1-a 2-b 3-c 4-d"),
    on: ["3-c", "2-b", "1-a"],
    ancestor: "2-b",
  },
  {
    name: "a replicated revision on one known by name only",
    tree: ["1-a 2-b? 3-c"],
    incoming: replicated("a", "1-a 2-b 3-x"),
    on: ["2-b", "1-a"],
    ancestor: "1-a",
  },
];

describe("place", () => {
  for (const { name, tree, incoming, on, ancestor } of cases) {
    it(`${name}: ${typeof on === "string" ? on : on.length === 0 ? "a root" : `on ${on[0]}`}`, () => {
      const record = recordOf(tree);
      const placed = (): ReturnType<typeof place> => place(incoming, record, read);
      if (typeof on === "string") {
        assert.throws(placed, (error) => error instanceof CouchError && error.error === on);
        return;
      }
      const { path, value, ancestor: found } = placed();
      assert.deepEqual(
        path.hashes.slice(1).map((hash, i) => `${path.start - 1 - i}-${hash}`),
        on,
      );
      assert.equal(value.body, incoming.body);
      const node = found === undefined ? undefined : record?.tree[found];
      assert.equal(node && revOf(node), ancestor);
      if (incoming.origin.kind === "replicated") assert.equal(path, incoming.origin.path);
      else assert.match(path.hashes[0] as string, /^[0-9a-f]{32}$/);
    });
  }

  it("gives the same edit the same revision, and another edit another one", () => {
    const revOfEdit = (body: unknown): string | undefined =>
      place(edit("a", { on: "1-a", body }), recordOf(["1-a"]), read).path.hashes[0];
    assert.equal(revOfEdit({ x: 1 }), revOfEdit({ x: 1 }));
    assert.notEqual(revOfEdit({ x: 1 }), revOfEdit({ x: 2 }));
  });
});

describe("place, attachments", () => {
  const brought = (revpos?: number): NewAttachment => {
    const content = { digest: "md5-new", length: 5, storedLength: 5 };
    return { kind: "new", name: "new", contentType: "text/plain", content, revpos };
  };
  const attachmentsOf = (incoming: IncomingRevision, lines: readonly string[]): readonly AttachmentInfo[] =>
    place(incoming, recordOf(lines), read).value.attachments;
  const missingStub = (error: unknown): boolean => error instanceof CouchError && error.error === "missing_stub";

  it("fills a stub from the edited revision, and gives new bytes the edit's generation", () => {
    const incoming = edit("a", { on: "2-b", attachments: [{ kind: "stub", name: "photo" }, brought(1)] });
    const [stub, added] = attachmentsOf(incoming, ["1-a 2-b"]);
    assert.deepEqual(stub, photo);
    assert.equal(added?.revpos, 3);
  });

  it("keeps the revpos that a replicating peer gives", () => {
    const [added] = attachmentsOf(replicated("a", "1-a 2-b 3-c", { attachments: [brought(2)] }), ["1-a"]);
    assert.equal(added?.revpos, 2);
  });

  it("fills a replicated stub from the nearest ancestor that can be read", () => {
    const incoming = replicated("a", "1-a 2-b 3-c", { attachments: [{ kind: "stub", name: "photo", revpos: 7 }] });
    assert.deepEqual(attachmentsOf(incoming, ["1-a"]), [photo]);
  });

  it("refuses a stub that no ancestor has", () => {
    const stub = { kind: "stub", name: "other" } as const;
    assert.throws(() => attachmentsOf(edit("a", { on: "1-a", attachments: [stub] }), ["1-a"]), missingStub);
    assert.throws(() => attachmentsOf(edit("a", { attachments: [stub] }), []), missingStub);
    assert.throws(() => attachmentsOf(replicated("a", "5-x", { attachments: [stub] }), ["1-a"]), missingStub);
  });

  it("refuses an edit's stub that names another revpos", () => {
    const stub = (revpos: number) => ({ kind: "stub", name: "photo", revpos }) as const;
    assert.throws(() => attachmentsOf(edit("a", { on: "1-a", attachments: [stub(1)] }), ["1-a"]), missingStub);
    assert.deepEqual(attachmentsOf(edit("a", { on: "1-a", attachments: [stub(2)] }), ["1-a"]), [photo]);
  });
});
