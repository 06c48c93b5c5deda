import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { CouchError } from "../../../protocol/errors.js";
import {
  canonicalJson,
  elementTexts,
  maxDepth,
  memberText,
  pickMember,
  scanBulk,
  scanDocument,
} from "../../../server/documents/json/json-text.js";

const canonical = (text: string): string => canonicalJson(Buffer.from(text)).toString();
const refused = (reason: string) => (error: unknown) =>
  error instanceof CouchError && error.error === "bad_request" && error.status === 400 && error.reason === reason;
const malformed = refused("invalid UTF-8 JSON");

interface RecordedStep {
  readonly name: string;
  readonly method: string;
  readonly text?: string;
  readonly base64?: string;
  readonly want: { readonly status: number; readonly text?: string; readonly json?: { readonly reason?: string } };
}

/** What CouchDB 3.5.0 answered. */
function recorded(file: string): readonly RecordedStep[] {
  const url = new URL(`../../../../test/conformance/couchdb-3.5.0/${file}.json`, import.meta.url);
  return (JSON.parse(readFileSync(url, "utf8")) as { steps: RecordedStep[] }).steps;
}

describe("documents come back as CouchDB prints them", () => {
  for (const file of ["26-json", "26-numbers"]) {
    const steps = recorded(file);
    const pairs = steps.filter((step) => step.text !== undefined);
    it(`${file}: ${pairs.length} documents`, () => {
      assert.ok(pairs.length > 15);
      for (const step of pairs) {
        const text = Buffer.from(step.text as string);
        const answer = steps.find((other) => other.name === step.name.replace(/^put/, "get"));
        if (step.want.status === 201) {
          const members = /^\{"_id":"[^"]*","_rev":"[^"]*",?(.*)\n$/s.exec(answer?.want.text as string)?.[1];
          assert.equal(scanDocument(text).body.toString(), `{${members}`, step.name);
        } else if (step.want.json?.reason === "invalid UTF-8 JSON") {
          assert.throws(() => scanDocument(text), malformed, step.name);
        }
      }
    });
  }

  it("12-documents-malformed: every text is refused in the same words", () => {
    const steps = recorded("12-documents-malformed").filter((step) => step.want.status === 400);
    assert.ok(steps.length > 35);
    for (const step of steps) {
      const text = step.base64 === undefined ? Buffer.from(step.text ?? "") : Buffer.from(step.base64, "base64");
      assert.throws(() => scanDocument(text), refused(step.want.json?.reason as string), step.name);
    }
  });

  it("15-bulk-docs-shapes: every text is refused in the same words", () => {
    const reasons = /^(invalid UTF-8|Document must be|Request body|POST body|`docs` parameter)/;
    const steps = recorded("15-bulk-docs-shapes").filter((step) => reasons.test(step.want.json?.reason ?? ""));
    assert.ok(steps.length > 12);
    for (const step of steps) {
      const text = Buffer.from(step.text ?? "");
      assert.throws(() => scanBulk(text, "docs"), refused(step.want.json?.reason as string), step.name);
    }
  });
});

describe("canonicalJson", () => {
  it("returns the very same buffer when there is nothing to change", () => {
    const text = Buffer.from('{"a":[1,2.5,-3,"é\\n\\u001F",true,false,null,{}],"b":{"c":[]},"d":"💡"}');
    assert.equal(canonicalJson(text), text);
  });

  it("spells numbers as CouchDB does", () => {
    const spellings = {
      "-0": "0",
      "0.0": "0.0",
      "-0.0": "0.0",
      "0.50": "0.5",
      "0.000001": "0.000001",
      "1.50": "1.5",
      "-1.0": "-1.0",
      "10.0": "10.0",
      "1E5": "100000.0",
      "1e20": "100000000000000000000.0",
      "-12345678901234567890123": "-12345678901234567890123",
      "0.1000000000000000055511151231257827": "0.1",
      "-2.2250738585072011e-308": "0.0",
      "1e-400": "0.0",
    };
    for (const [text, wanted] of Object.entries(spellings)) {
      assert.equal(canonical(text), wanted, text);
      assert.equal(canonical(`[${text} , ${text}]`), `[${wanted},${wanted}]`, text);
    }
  });

  it("keeps the last of equal names, in the last one's place, at every depth", () => {
    assert.equal(canonical('{"a":1,"b":2,"a":3}'), '{"b":2,"a":3}');
    assert.equal(canonical('{"a":1,"a":2,"a":3}'), '{"a":3}');
    assert.equal(canonical('[{"o":{"x":1,"y":{"z":1,"z":2},"x":3}}]'), '[{"o":{"y":{"z":2},"x":3}}]');
    assert.equal(canonical('{"o":{"x":1,"x":2},"p":{"x":1},"o":{"x":3,"x":[4]}}'), '{"p":{"x":1},"o":{"x":[4]}}');
    assert.equal(canonical('{"a":1, "\\u0061" : 2,"b":{"a":1}}'), '{"a":2,"b":{"a":1}}');
    assert.equal(canonical('{"\\u00e9":1,"é":2}'), '{"é":2}');
  });

  it("finds equal names among many", () => {
    const names = Array.from({ length: 300 }, (_, i) => `"k${i}":${i}`);
    const text = `{${names.join(",")},"k7":"x","k299":"y","k7":"z"}`;
    const wanted = names.filter((_, i) => i !== 7 && i !== 299);
    assert.equal(canonical(text), `{${wanted.join(",")},"k299":"y","k7":"z"}`);
  });

  it("tells names apart whose hashes are equal", () => {
    // "Aa" and "BB" have one hash in base 31.
    assert.equal(canonical('{"Aa":1,"BB":2,"AaAa":3,"BBBB":4,"AaBB":5}'), '{"Aa":1,"BB":2,"AaAa":3,"BBBB":4,"AaBB":5}');
  });

  it("accepts the deepest nesting it promises and refuses more", () => {
    for (const depth of [5_000, 10_000, maxDepth]) {
      const arrays = Buffer.from("[".repeat(depth) + "]".repeat(depth));
      assert.equal(canonicalJson(arrays), arrays);
    }
    const objects = '{"a":'.repeat(10_000) + "1".padEnd(10_001, "}");
    assert.equal(canonical(objects), objects);
    assert.throws(() => canonical("[".repeat(maxDepth + 1)), refused("JSON is nested too deep"));
  });

  it("refuses what ends too early, wherever it is cut", () => {
    const text = Buffer.from('{"a":[1.5e+3,-2,"x\\u00e9\\ud83d\\ude00\\n",true,{"b":null}]}');
    canonicalJson(text);
    for (let end = 0; end < text.length; end++) {
      assert.throws(() => canonicalJson(text.subarray(0, end)), malformed, `first ${end} bytes`);
    }
  });

  it("refuses what only looks like JSON", () => {
    for (const text of [
      "1.",
      "1e",
      "1e+",
      "-",
      "--1",
      "tru",
      "True",
      "[1 2]",
      "[1,]",
      '{"a":1,}',
      '{"a":1]',
      "[1}",
      '{,"a":1}',
    ]) {
      assert.throws(() => canonical(text), malformed, text);
    }
  });
});

describe("scanDocument", () => {
  it("parts underscore members from the body, wherever they stand", () => {
    const texts = [
      '{"_id":"a","_rev":"1-x","b":1,"c":[2]}',
      '{"b":1,"c":[2],"_id":"a","_rev":"1-x"}',
      '{"_id":"a","b":1,"_rev":"1-x","c":[2]}',
      '{ "b" : 1 , "_id" : "a" ,\n"c" : [ 2 ] , "\\u005frev" : "1-\\u0078" }\n',
    ];
    for (const text of texts) {
      const { special, body } = scanDocument(Buffer.from(text));
      assert.deepEqual({ ...special }, { _id: "a", _rev: "1-x" }, text);
      assert.equal(body.toString(), '{"b":1,"c":[2]}', text);
    }
  });

  it("gives an empty body when all members are special", () => {
    assert.equal(scanDocument(Buffer.from('{ "_id" : "a" }')).body.toString(), "{}");
    assert.equal(scanDocument(Buffer.from(" { } ")).body.toString(), "{}");
  });

  it("keeps nested underscore members and duplicates apart from special ones", () => {
    const { special, body } = scanDocument(
      Buffer.from('{"_id":"a","x":{"_id":1,"_id":2},"_id":"b","y":1,"_att":{"k":[1,1.0],"k":{"m":2}},"x":0}'),
    );
    assert.deepEqual({ ...special }, { _id: "b", _att: { k: { m: 2 } } });
    assert.equal(body.toString(), '{"y":1,"x":0}');
  });

  it("leaves what replicators note where it stands, however it is spelt", () => {
    const text =
      '{"_id":"a","_replication_id":"x","n":1,"_\\u0072eplication_state":"error","_rev":"1-a","_replicated":1}';
    const { special, body } = scanDocument(Buffer.from(text));
    assert.deepEqual({ ...special }, { _id: "a", _rev: "1-a", _replicated: 1 });
    assert.equal(body.toString(), '{"_replication_id":"x","n":1,"_replication_state":"error"}');
    const twice = scanDocument(Buffer.from('{"_replication_id":1,"_replication_id":2}'));
    assert.equal(twice.body.toString(), '{"_replication_id":2}');
    for (const malformedName of ['{"_rep', '{"_rep\\', '{"_rep":']) {
      assert.throws(() => scanDocument(Buffer.from(malformedName)), malformed);
    }
  });

  it("takes __proto__ for a name like any other", () => {
    const { special } = scanDocument(Buffer.from('{"__proto__":{"x":1},"v":1}'));
    assert.deepEqual(Object.keys(special), ["__proto__"]);
    assert.equal(Object.getPrototypeOf(special), null);
  });
});

describe("scanBulk", () => {
  it("reads documents and the other members in any order", () => {
    const docs = '[{"_id":"a","v":1.0},{"v":1e2,"_id":"b"} , {}]';
    for (const text of [`{"docs":${docs},"new_edits":false}`, `{ "new_edits" : false , "docs" : ${docs} }`]) {
      const { documents, rest } = scanBulk(Buffer.from(text), "docs");
      assert.deepEqual({ ...rest }, { new_edits: false });
      assert.deepEqual(
        documents.map((document) => document.body.toString()),
        ['{"v":1.0}', '{"v":100.0}', "{}"],
      );
      assert.deepEqual(
        documents.map((document) => document.special._id),
        ["a", "b", undefined],
      );
    }
  });

  it("lets the last array count, and one mistake in the grammar spoil all", () => {
    const { documents } = scanBulk(Buffer.from('{"docs":[1],"docs":[{"_id":"b"}]}'), "docs");
    assert.deepEqual(
      documents.map((document) => document.special._id),
      ["b"],
    );
    assert.throws(() => scanBulk(Buffer.from('{"docs":[1],"x":}'), "docs"), malformed);
    assert.throws(() => scanBulk(Buffer.from('{"docs":[{"a":1}{"b":1}]}'), "docs"), malformed);
    assert.throws(() => scanBulk(Buffer.from('{"docs":[]} {}'), "docs"), malformed);
    assert.throws(() => scanBulk(Buffer.from("{docs:[]}"), "docs"), malformed);
    assert.throws(() => scanBulk(Buffer.from('{"docs":[{x_a":1}]}'), "docs"), malformed);
  });
});

describe("pickMember", () => {
  const body = Buffer.from('{"a":{"b":[1,"}"],"a":0},"b":"x\\"y,","é\\u0001":[{"c":1}],"n":null,"":2.5}');

  it("reads one member of the top level", () => {
    assert.deepEqual(pickMember(body, "a"), { b: [1, "}"], a: 0 });
    assert.equal(pickMember(body, "b"), 'x"y,');
    assert.deepEqual(pickMember(body, "é\u0001"), [{ c: 1 }]);
    assert.equal(pickMember(body, "n"), null);
    assert.equal(pickMember(body, ""), 2.5);
  });

  it("gives undefined for a name that is not there", () => {
    for (const name of ["c", "A", "aa", "\ud800"]) assert.equal(pickMember(body, name), undefined);
    assert.equal(pickMember(Buffer.from("{}"), "a"), undefined);
  });
});

describe("the texts of parts", () => {
  it("are those of the whole, with every digit", () => {
    const body = Buffer.from('{"keys":[12345678901234567890,1.0,"a]\\",",[1,[2]],{"b":"}"}],"b":100.0}');
    assert.equal(memberText(body, "b")?.toString(), "100.0");
    assert.equal(memberText(body, "c"), undefined);
    assert.deepEqual(
      elementTexts(memberText(body, "keys") as Buffer).map((text) => text.toString()),
      ["12345678901234567890", "1.0", '"a]\\","', "[1,[2]]", '{"b":"}"}'],
    );
    assert.deepEqual(elementTexts(Buffer.from("[]")), []);
  });
});
