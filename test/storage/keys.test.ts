import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { DocId, RevId } from "../../protocol/ids.js";
import {
  afterPrefix,
  databaseKeys,
  databaseNameOfKey,
  directoryKey,
  directoryRange,
  droppedKey,
  droppedRange,
  epochKey,
  formatKey,
  nextDatabaseKey,
  numberOfDroppedKey,
} from "../../server/storage/keys.js";

/** The order of the store: UTF-8 bytes, which is not the order of JavaScript's strings. */
function compareBytes(a: string, b: string): number {
  return Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

function isWithin(key: string, { from, to }: { readonly from: string; readonly to: string }): boolean {
  return compareBytes(key, from) >= 0 && compareBytes(key, to) < 0;
}

const number = fc.integer({ min: 1, max: 0xffff_ffff });
const sequence = fc.integer({ min: 0, max: 0xffff_ffff_ffff });
/** Any text that JSON can carry, the awkward characters often. */
const id = fc.oneof(
  fc.string({ unit: "grapheme", minLength: 1 }),
  fc.string({ unit: fc.constantFrom("a", "/", "\0", "\u0001", "\u007f", "é", "\uffff", "𐀀", "😀", "_"), minLength: 1 }),
);
const rev = fc
  .tuple(fc.integer({ min: 1, max: 99_999 }), fc.stringMatching(/^[0-9a-z]{1,32}$/))
  .map(([n, hash]) => `${n}-${hash}` as RevId);

/** One key of each kind that a database has. */
function keysOfEveryKind(database: number, docId: string, seq: number, revId: RevId): Record<string, string> {
  const keys = databaseKeys(database);
  return {
    documents: keys.document(docId),
    bodies: keys.body(docId as DocId, revId),
    sequences: keys.sequence(seq),
    locals: keys.local(docId),
    attachments: keys.attachment(`md5-${docId}`),
    purges: keys.purge(seq),
    metas: keys.meta("counters"),
    indexHeads: keys.index(seq % 1000).head,
    indexNodes: keys.index(seq % 1000).node(seq),
    indexEmitted: keys.index(seq % 1000).emittedBy(docId),
  };
}

describe("keys", () => {
  it("are read back by their parsers", () => {
    fc.assert(
      fc.property(number, id, sequence, (database, docId, seq) => {
        const keys = databaseKeys(database);
        assert.equal(keys.docIdOf(keys.document(docId)), docId);
        assert.equal(keys.localIdOf(keys.local(docId)), docId);
        assert.equal(keys.seqOf(keys.sequence(seq)), seq);
        assert.equal(keys.digestOf(keys.attachment("md5-1B2M2Y8AsgTpgAmY7PhCfg==")), "md5-1B2M2Y8AsgTpgAmY7PhCfg==");
        assert.equal(numberOfDroppedKey(droppedKey(database)), database);
        assert.equal(databaseNameOfKey(directoryKey(docId)), docId);
      }),
    );
  });

  it("of sequences are ordered as numbers", () => {
    fc.assert(
      fc.property(number, sequence, sequence, (database, a, b) => {
        const keys = databaseKeys(database);
        assert.equal(compareBytes(keys.sequence(a), keys.sequence(b)), Math.sign(a - b));
        assert.equal(compareBytes(keys.purge(a), keys.purge(b)), Math.sign(a - b));
      }),
    );
    const keys = databaseKeys(1);
    const inOrder = [0, 1, 9, 10, 15, 16, 255, 256, 65_535, 65_536, 2 ** 32, 2 ** 47].map((seq) => keys.sequence(seq));
    assert.deepEqual([...inOrder].sort(compareBytes), inOrder);
  });

  it("of documents are ordered by the UTF-8 bytes of their ids", () => {
    fc.assert(
      fc.property(number, id, id, (database, a, b) => {
        const keys = databaseKeys(database);
        assert.equal(compareBytes(keys.document(a), keys.document(b)), compareBytes(a, b));
        assert.equal(compareBytes(keys.local(a), keys.local(b)), compareBytes(a, b));
      }),
    );
  });

  it("of databases lie in the database's own range, and in the range of their own kind only", () => {
    fc.assert(
      fc.property(number, number, id, sequence, rev, (mine, other, docId, seq, revId) => {
        const keys = databaseKeys(mine);
        const stranger = databaseKeys(other);
        for (const [kind, key] of Object.entries(keysOfEveryKind(mine, docId, seq, revId))) {
          assert.ok(isWithin(key, keys.all), `${kind} is in the database's range`);
          assert.equal(isWithin(key, stranger.all), mine === other, `${kind} is in no other database's range`);
          for (const range of ["documents", "bodies", "sequences", "locals", "attachments", "purges"] as const) {
            assert.equal(isWithin(key, keys[range]), kind === range, `${kind} in the range of ${range}`);
            assert.equal(isWithin(key, stranger[range]), mine === other && kind === range);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it("of an index lie in its own range, and nodes and documents in theirs", () => {
    fc.assert(
      fc.property(number, number, number, id, sequence, (database, mine, other, docId, node) => {
        const keys = databaseKeys(database).index(mine);
        const stranger = databaseKeys(database).index(other);
        const kinds = { head: keys.head, nodes: keys.node(node), emitted: keys.emittedBy(docId) };
        for (const [kind, key] of Object.entries(kinds)) {
          assert.ok(isWithin(key, keys.all));
          assert.equal(isWithin(key, stranger.all), mine === other);
          for (const range of ["nodes", "emitted"] as const) assert.equal(isWithin(key, keys[range]), kind === range);
        }
      }),
    );
  });

  it("of neighbouring databases never overlap, where hexadecimal digits carry", () => {
    for (const n of [1, 8, 9, 10, 15, 16, 0x9f, 0xff, 0x0fff_ffff, 0xffff_fffe]) {
      const { all } = databaseKeys(n);
      const next = databaseKeys(n + 1).all;
      assert.ok(compareBytes(all.to, next.from) <= 0, `${n} ends before ${n + 1} begins`);
    }
  });

  it("of bodies name one document and one revision", () => {
    fc.assert(
      fc.property(id, rev, id, rev, (a, revA, b, revB) => {
        const keys = databaseKeys(1);
        assert.equal(keys.body(a as DocId, revA) === keys.body(b as DocId, revB), a === b && revA === revB);
      }),
      { numRuns: 300 },
    );
    const keys = databaseKeys(1);
    assert.notEqual(keys.body("a" as DocId, "1-b" as RevId), keys.body("a\u00001-b" as DocId, "1-b" as RevId));
  });

  it("of the directory stay clear of databases and of each other", () => {
    const outside = [
      formatKey,
      epochKey,
      nextDatabaseKey,
      droppedKey(7),
      directoryKey("notes"),
      directoryKey("a/b+$()"),
    ];
    for (const n of [1, 0xffff_ffff]) {
      for (const key of outside) assert.ok(!isWithin(key, databaseKeys(n).all), key);
    }
    assert.deepEqual(
      outside.map((key) => isWithin(key, directoryRange)),
      [false, false, false, false, true, true],
    );
    assert.deepEqual(
      outside.map((key) => isWithin(key, droppedRange)),
      [false, false, false, true, false, false],
    );
  });

  it("end with their prefix's range", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[0-9a-z]{1,9}$/), id, (prefix, rest) => {
        assert.ok(isWithin(prefix + rest, { from: prefix, to: afterPrefix(prefix) }));
      }),
    );
    assert.equal(afterPrefix("abc"), "abd");
  });
});
