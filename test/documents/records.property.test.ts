import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { parseDatabaseName } from "../../protocol/ids.js";
import { defaultSecurity } from "../../protocol/security.js";
import { decodeAttachments, encodeAttachments } from "../../server/documents/attachments/attachment-info.js";
import { ByteReader, ByteWriter } from "../../server/documents/bytes.js";
import {
  decodeDirectoryRecord,
  encodeDirectoryRecord,
  newDirectoryRecord,
} from "../../server/documents/directory-record.js";
import {
  decodeDocumentRecord,
  decodeRevisionValue,
  encodeDocumentRecord,
  encodeRevisionValue,
} from "../../server/documents/document-record.js";
import { decodeLocal, encodeLocal } from "../../server/documents/local-documents.js";
import { normalise, type RevisionNode, type RevisionTree } from "../../server/documents/revisions/tree.js";
import { winnerOf } from "../../server/documents/revisions/winner.js";
import {
  countersOfEntry,
  decodeSequenceEntry,
  encodeSequenceEntry,
  idOfRow,
  revOfRow,
} from "../../server/documents/sequence-entry.js";
import { decodeCounters, encodeCounters } from "../../server/documents/stored-counters.js";

const count = fc.maxSafeNat();
/** Objects as decoders make them: a null prototype would never be deeply equal. */
const plain = { noNullPrototype: true } as const;
const text = fc.string({ unit: "grapheme" });
const hexHash = fc.stringMatching(/^[0-9a-f]{32}$/);
/** What other servers, or people, may call a revision. */
const oddHash = fc.oneof(
  text.filter((hash) => hash !== ""),
  fc.stringMatching(/^[0-9A-F]{32}$/),
  fc.stringMatching(/^[0-9a-f]{31}$/),
);

/** Any tree: every node hangs on one of those before it, or is a root of any generation. */
function trees(hash: fc.Arbitrary<string>): fc.Arbitrary<RevisionTree> {
  const node = fc.record({
    hash,
    parent: fc.option(fc.nat(), { freq: 4 }),
    root: fc.integer({ min: 1, max: 9_999_999_999 }),
    deleted: fc.boolean(),
    stored: fc.option(fc.record({ seq: count, size: count }), { freq: 4 }),
  });
  return fc.array(node, { minLength: 1, maxLength: 30 }).map((drawn) => {
    const nodes: RevisionNode[] = [];
    for (const { hash, parent, root, deleted, stored } of drawn) {
      const at = parent === null || nodes.length === 0 ? -1 : parent % nodes.length;
      const generation = at < 0 ? root : (nodes[at] as RevisionNode).generation + 1;
      if (nodes.some((other) => other.generation === generation && other.hash === hash)) continue;
      nodes.push({
        generation,
        hash,
        parent: at,
        deleted,
        stored: stored !== null,
        ...(stored ?? { seq: 0, size: 0 }),
      });
    }
    return normalise(nodes);
  });
}

const attachment = fc.record(
  {
    name: text,
    contentType: text,
    revpos: fc.nat(),
    digest: fc.base64String().map((digest) => `md5-${digest}`),
    length: count,
    storedLength: count,
    encoding: fc.constant("gzip" as const),
  },
  { requiredKeys: ["name", "contentType", "revpos", "digest", "length", "storedLength"], ...plain },
);
const body = fc.object().map((value) => Buffer.from(JSON.stringify(value)));
const value = fc.record({ body, attachments: fc.array(attachment, { maxLength: 4 }) }, plain);

describe("a document record", () => {
  for (const [kind, hash] of [
    ["of 32 hexadecimal digits", hexHash],
    ["of any kind", oddHash],
    ["mixed", fc.oneof(hexHash, oddHash)],
  ] as const) {
    it(`is read back as it was written, with hashes ${kind}`, () => {
      const record = fc.record({
        tree: trees(hash),
        seq: count,
        inline: fc.option(value.map(encodeRevisionValue), { nil: undefined }),
      });
      fc.assert(
        fc.property(record, ({ tree, seq, inline }) => {
          const written = { tree, winner: winnerOf(tree), seq, inline };
          assert.deepEqual(decodeDocumentRecord(encodeDocumentRecord(written)), written);
        }),
        { numRuns: 300 },
      );
    });
  }

  it("holds a line of 1,000 generations in little more than its hashes", () => {
    const tree = Array.from({ length: 1000 }, (_, i): RevisionNode => {
      const hash = (i + 1).toString(16).padStart(32, "0");
      const stored = i === 999;
      return {
        generation: i + 1,
        hash,
        parent: i - 1,
        deleted: false,
        stored,
        seq: stored ? 1000 : 0,
        size: stored ? 20 : 0,
      };
    });
    const written = {
      tree,
      winner: 999,
      seq: 1000,
      inline: encodeRevisionValue({ body: Buffer.from("{}"), attachments: [] }),
    };
    const bytes = encodeDocumentRecord(written);
    assert.deepEqual(decodeDocumentRecord(bytes), written);
    assert.ok(bytes.length < 1000 * 17 + 50, `${bytes.length} bytes`);
  });

  it("stays as it is when the next one is written in the same memory", () => {
    fc.assert(
      fc.property(trees(hexHash), trees(oddHash), (one, other) => {
        const bytes = encodeDocumentRecord({ tree: one, winner: winnerOf(one), seq: 1, inline: undefined });
        const copy = Buffer.from(bytes);
        encodeDocumentRecord({ tree: other, winner: winnerOf(other), seq: 2, inline: undefined });
        assert.deepEqual(bytes, copy);
      }),
    );
  });
});

describe("a revision value", () => {
  it("is read back as it was written", () => {
    fc.assert(
      fc.property(value, (written) => assert.deepEqual(decodeRevisionValue(encodeRevisionValue(written)), written)),
    );
  });

  it("adds one byte to a body without attachments", () => {
    assert.equal(encodeRevisionValue({ body: Buffer.from('{"a":1}'), attachments: [] }).length, 8);
  });

  it("holds a list of attachments that is longer than a short length can say", () => {
    const attachments = Array.from({ length: 500 }, (_, i) => {
      return {
        name: `photo ${i} ü.jpg`,
        contentType: "image/jpeg",
        revpos: i,
        digest: "md5-x",
        length: i,
        storedLength: i,
      };
    });
    const written = { body: Buffer.from("{}"), attachments };
    assert.deepEqual(decodeRevisionValue(encodeRevisionValue(written)), written);
    assert.deepEqual(decodeAttachments(encodeAttachments(attachments)), attachments);
  });
});

describe("a sequence entry", () => {
  it("is read back as it was written, with any id and counters", () => {
    const row = fc.record({
      id: text,
      rev: fc.tuple(fc.nat(), fc.oneof(hexHash, oddHash)).map(([generation, hash]) => `${generation}-${hash}`),
      deleted: fc.boolean(),
      severalLeaves: fc.boolean(),
    });
    const counters = fc.record(
      { documents: count, deletedDocuments: count, liveBytes: count, storedBytes: count, externalBytes: count },
      plain,
    );
    fc.assert(
      fc.property(row, counters, count, (written, numbers, seq) => {
        const bytes = encodeSequenceEntry(written, numbers);
        const entry = decodeSequenceEntry(seq, bytes);
        assert.equal(entry.seq, seq);
        assert.equal(entry.deleted, written.deleted);
        assert.equal(entry.severalLeaves, written.severalLeaves);
        assert.equal(idOfRow(entry.row), written.id);
        assert.equal(revOfRow(entry.row), written.rev);
        const row = { id: written.id, changes: [{ rev: written.rev }], ...(written.deleted ? { deleted: true } : {}) };
        assert.deepEqual(JSON.parse(`{${entry.row.toString()}}`), row);
        assert.deepEqual(countersOfEntry(bytes), numbers);
        assert.deepEqual(decodeCounters(encodeCounters({ seq, counters: numbers })), { seq, counters: numbers });
      }),
    );
  });
});

describe("a local document's record", () => {
  it("is read back as it was written", () => {
    fc.assert(
      fc.property(count, body, (n, text) => {
        assert.deepEqual(decodeLocal(encodeLocal(n, text)), { rev: `0-${n}`, body: text });
      }),
    );
  });
});

describe("a directory record", () => {
  const record = newDirectoryRecord(7, { partitioned: false, epoch: "abc", created: 1_700_000_000_000 });

  it("is read back as it was written", () => {
    const changed = {
      ...record,
      partitioned: true,
      revsLimit: 3,
      security: { members: { names: ["ada"] }, other: [1, { kept: "é" }] },
      epochs: [...record.epochs, { epoch: "def", first: 12 }],
    };
    assert.deepEqual(decodeDirectoryRecord(encodeDirectoryRecord(record)), record);
    assert.deepEqual(decodeDirectoryRecord(encodeDirectoryRecord(changed)), changed);
  });

  it("leaves defaults out, so that a plain database takes few bytes", () => {
    const bytes = encodeDirectoryRecord(record);
    assert.deepEqual(Object.keys(JSON.parse(bytes.toString())), ["number", "created", "epochs"]);
    assert.equal(decodeDirectoryRecord(bytes).security, defaultSecurity);
    assert.ok(parseDatabaseName("notes").length + bytes.length < 120, `${bytes.length} bytes`);
  });
});

describe("variable-length integers", () => {
  it("are read back at every size, and at the borders between sizes", () => {
    const borders = Array.from({ length: 8 }, (_, i) => 2 ** (7 * i)).flatMap((n) => [n - 1, n, n + 1]);
    fc.assert(
      fc.property(fc.array(fc.oneof(count, fc.constantFrom(...borders, Number.MAX_SAFE_INTEGER))), (numbers) => {
        // Little room at first: growing is part of what is tested.
        const out = new ByteWriter(4);
        for (const n of numbers) out.varint(n);
        const reader = new ByteReader(out.copy());
        assert.deepEqual(
          numbers.map(() => reader.varint()),
          numbers,
        );
        assert.equal(reader.at, reader.bytes.length);
      }),
    );
  });
});
