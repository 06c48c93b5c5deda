import assert from "node:assert/strict";
import test from "node:test";
import { changesNothing } from "../../server/sandbox/changes-nothing.js";
import { sandboxFor } from "./ask.js";

/** Functions as people write them. */
const plain = [
  "function (doc) { emit(doc._id, null); }",
  "function(doc){ if (doc.type == 'note' && doc.n >= 2 || doc.m !== 3) emit([doc.type, doc.created], {n: doc.n}); }",
  "(doc) => { const {type} = 0; emit(1); }".replace("const {type} = 0; ", ""),
  "function (doc) { for (var i = 0; i < doc.tags.length; i++) { emit(doc.tags[i], 1); } }",
  "function (doc) { for (const tag of doc.tags) emit(tag, 1); for (let k in doc) --n; }",
  "function (doc) { var total = 0; doc.lines.forEach(function (line) { total += line.price * line.count; }); emit(doc.date, total); }",
  "doc => doc.a?.b && emit(doc.a.b.toLowerCase().split(' '), doc.a <= 3 ? Object.keys(doc) : Math.max(1, 2))",
];

/** Each changes a document, in one way or another. */
const changing = [
  "function (doc) { doc.k = 1; }",
  "function (doc) { doc . k\n = 1; }",
  "function (doc) { doc['k'] = 1; }",
  "function (doc) { doc.k += 1; }",
  "function (doc) { doc.k &&= 1; }",
  "function (doc) { doc.k >>>= 1; }",
  "function (doc) { doc.k <<= 1; }",
  "function (doc) { doc.k++; }",
  "function (doc) { --doc.k; }",
  "function (doc) { ++doc['k']; }",
  "function (doc) { doc/**/./**/k/**/= 1; }",
  "function (doc) { doc. // k\n k = 1; }",
  "function (doc) { delete doc.k; }",
  "function (doc) { [doc.k] = [1]; }",
  "function (doc) { ({ a: doc.k } = { a: 1 }); }",
  "function (doc) { for (doc.k of [1]); }",
  "function (doc) { for (doc.k in { a: 1 }); }",
  "function (doc) { with (doc) { k = 1; } }",
  "function (doc) { doc.list.sort(); }",
  "function (doc) { doc.list.push(1); }",
  "function (doc) { doc.list['so' + 'rt'](); }",
  "function (doc) { (doc.list['so' + 'rt'])(); }",
  "function (doc) { doc.list['so' + 'rt']?.(); }",
  "function (doc) { doc.\\u006b = 1; }",
  "function (doc) { doc.ék = 1; }",
  "function (doc) { Object.assign(doc, { k: 1 }); }",
  "function (doc) { Object.defineProperty(doc, 'k', { value: 1 }); }",
  "function (doc) { Reflect.set(doc, 'k', 1); }",
  "function (doc) { eval('doc.k' + String.fromCharCode(61) + '1'); }",
  "function (doc) { Function('d', 'd.k' + String.fromCharCode(61) + '1')(doc); }",
  "function (doc) { require('views/lib/patch').patch(doc); }",
  "function (doc) { doc.__proto__ = { k: 1 }; doc.k++; }",
];

test("plain functions are known as such", () => {
  for (const source of plain) assert.equal(changesNothing(source), true, source);
});

test("whatever may change a document is not plain", () => {
  for (const source of changing) assert.equal(changesNothing(source), false, source);
});

test("the samples do what they say: unfrozen they change it, and a document is seen unchanged all the same", async (t) => {
  const { sandbox } = sandboxFor(t);
  const document = JSON.stringify({ _id: "a", k: 5, list: [2, 1] });
  const modules = JSON.stringify({ views: { lib: { patch: "exports.patch = function (doc) { doc.k = 1; };" } } });
  const seen = "function (doc) { emit(null, doc); }";
  for (const source of changing) {
    // An object of its own, which nobody froze.
    const changed = `function (doc) { var own = JSON.parse(JSON.stringify(doc)); (0, ${source})(own); emit(null, own); }`;
    const map = { designDoc: "_design/app", sources: [source, seen, changed], modules };
    const [rows] = await sandbox.map({ database: source, map, documents: [document] });
    assert.deepEqual(rows?.[1], [["null", document]], source);
    assert.notDeepEqual(rows?.[2], rows?.[1], source);
  }
});
