import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import { parseRevId } from "../../../protocol/ids.js";
import { type NewRevision, newRevisionHash } from "../../../server/documents/revisions/new-revision.js";

const attachment = { name: "a.txt", contentType: "text/plain", digest: "md5-kAFQmDzST7DWlj99KOF/cg==" };
const plain: NewRevision = {
  deleted: false,
  parent: parseRevId("1-a"),
  body: Buffer.from('{"a":1}'),
  attachments: [attachment],
};
const bare = (body: object, parent?: string): NewRevision => ({
  deleted: false,
  parent: parent === undefined ? undefined : parseRevId(parent),
  body: Buffer.from(JSON.stringify(body)),
  attachments: [],
});

describe("newRevisionHash", () => {
  // Revisions that CouchDB's own tests and manual name.
  for (const [hash, revision] of [
    ["967a00dff5e02add41819138abb3284d", bare({})],
    ["43d86359741cb629c0953a2beb6e9d7a", bare({ partitioned_doc: true })],
    ["47f3268e7546965196b57572099f4372", bare({ val: "r0" })],
    ["1d8171ab3a91475cfece749291e6f897", bare({ val: "r1" }, "1-47f3268e7546965196b57572099f4372")],
    ["3fb0a342d2ce092fdcc77856dbe8a2ef", bare({ val: "r2" }, "2-1d8171ab3a91475cfece749291e6f897")],
  ] as const) {
    it(`is CouchDB's for ${revision.body} on ${revision.parent ?? "nothing"}`, () => {
      assert.equal(newRevisionHash(revision), hash);
    });
  }

  it("is MD5 over the terms that CouchDB hashes, attachments from the last to the first", () => {
    const second = { name: "b", contentType: "image/png", digest: "md5-1B2M2Y8AsgTpgAmY7PhCfg==" };
    const binary = (bytes: Buffer | string): Buffer => {
      const head = Buffer.from([109, 0, 0, 0, Buffer.byteLength(bytes)]);
      return Buffer.concat([head, Buffer.from(bytes)]);
    };
    const tuple = ({ name, contentType, digest }: typeof attachment): Buffer =>
      Buffer.concat([
        Buffer.from([104, 3]),
        binary(name),
        binary(contentType),
        binary(Buffer.from(digest.slice(4), "base64")),
      ]);
    const terms = Buffer.concat([
      Buffer.from([131, 108, 0, 0, 0, 5]),
      Buffer.from([100, 0, 4]),
      Buffer.from("true"),
      Buffer.from([97, 1]),
      binary("a"),
      Buffer.from([104, 1, 106]),
      Buffer.from([108, 0, 0, 0, 2]),
      tuple(second),
      tuple(attachment),
      Buffer.from([106, 106]),
    ]);
    const revision = { ...plain, deleted: true, body: Buffer.from("{}"), attachments: [attachment, second] };
    assert.equal(newRevisionHash(revision), createHash("md5").update(terms).digest("hex"));
  });

  it("is the same for the same edit, whatever was hashed in between and however long it is", () => {
    for (const size of [10, 64 * 1024, 64 * 1024 + 1, 200_000]) {
      const body = Buffer.from(JSON.stringify({ text: "x".repeat(size) }));
      const hash = newRevisionHash({ ...plain, body });
      assert.match(hash, /^[0-9a-f]{32}$/);
      newRevisionHash(plain);
      assert.equal(newRevisionHash({ ...plain, body: Buffer.from(body) }), hash);
    }
  });

  for (const [what, change] of Object.entries({
    "the deleted flag": { deleted: true },
    "the parent": { parent: parseRevId("1-b") },
    "having a parent": { parent: undefined },
    "the body": { body: Buffer.from('{"a":2}') },
    "the kind of a number": { body: Buffer.from('{"a":1.0}') },
    "an attachment": { attachments: [] },
    "an attachment's digest": { attachments: [{ ...attachment, digest: "md5-1B2M2Y8AsgTpgAmY7PhCfg==" }] },
    "an attachment's name": { attachments: [{ ...attachment, name: "b.txt" }] },
    "an attachment's type": { attachments: [{ ...attachment, contentType: "text/html" }] },
  } satisfies Record<string, Partial<NewRevision>>)) {
    it(`depends on ${what}`, () => {
      assert.notEqual(newRevisionHash({ ...plain, ...change } as NewRevision), newRevisionHash(plain));
    });
  }
});
