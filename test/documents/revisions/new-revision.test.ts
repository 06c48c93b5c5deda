import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import { parseRevId } from "../../../protocol/ids.js";
import { type NewRevision, newRevisionHash } from "../../../server/documents/revisions/new-revision.js";

const attachment = {
  name: "a.txt",
  contentType: "text/plain",
  revpos: 1,
  digest: "md5-AAAA",
  length: 3,
  storedLength: 3,
};
const plain: NewRevision = {
  deleted: false,
  parent: parseRevId("1-a"),
  body: Buffer.from('{"a":1}'),
  attachments: [attachment],
};

describe("newRevisionHash", () => {
  it("is the same for the same edit, 32 hexadecimal digits", () => {
    const hash = newRevisionHash(plain);
    assert.match(hash, /^[0-9a-f]{32}$/);
    assert.equal(newRevisionHash({ ...plain, body: Buffer.from('{"a":1}') }), hash);
  });

  it("does not depend on when the attachment was brought", () => {
    assert.equal(newRevisionHash({ ...plain, attachments: [{ ...attachment, revpos: 7 }] }), newRevisionHash(plain));
  });

  for (const [what, change] of Object.entries({
    "the deleted flag": { deleted: true },
    "the parent": { parent: parseRevId("1-b") },
    "having a parent": { parent: undefined },
    "the body": { body: Buffer.from('{"a":2}') },
    "an attachment": { attachments: [] },
    "an attachment's digest": { attachments: [{ ...attachment, digest: "md5-BBBB" }] },
    "an attachment's name": { attachments: [{ ...attachment, name: "b.txt" }] },
    "an attachment's type": { attachments: [{ ...attachment, contentType: "text/html" }] },
  } satisfies Record<string, Partial<NewRevision>>)) {
    it(`depends on ${what}`, () => {
      assert.notEqual(newRevisionHash({ ...plain, ...change } as NewRevision), newRevisionHash(plain));
    });
  }

  it("is one MD5 over its parts for bodies of any size", () => {
    for (const size of [10, 64 * 1024 - 20, 64 * 1024, 200_000]) {
      const body = Buffer.alloc(size, "x");
      const expected = createHash("md5").update("kept\n1-a\n").update(body).digest("hex");
      assert.equal(newRevisionHash({ ...plain, body, attachments: [] }), expected, `${size} bytes`);
    }
  });
});
