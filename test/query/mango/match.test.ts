import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { compileSelector } from "../../../server/query/mango/match.js";
import { parseSelector } from "../../../server/query/mango/selector.js";

/** Both as JSON text, so that `__proto__` is a name like any other. */
function matches(selector: string, document: string): boolean {
  return compileSelector(parseSelector(JSON.parse(selector)))(JSON.parse(document));
}

/** What recordings do not show: as CouchDB 3.5's source has it. */
const table: Readonly<Record<string, readonly (readonly [selector: string, document: string, wanted: boolean])[]>> = {
  "a missing field is not found; a path that leads nowhere does not even lack its field": [
    ['{"a": {"$exists": false}}', "{}", true],
    ['{"a.b": {"$exists": false}}', '{"a": {}}', true],
    ['{"a.b": {"$exists": false}}', '{"a": 5}', false],
    ['{"a.5": {"$exists": false}}', '{"a": [1]}', false],
    ['{"a.x": {"$exists": true}}', '{"a": [1]}', false],
    ['{"a": {"$ne": 1}}', "{}", false],
    ['{"a": {"$not": {"$size": 1}}}', "{}", false],
    ['{"a": {"$eq": null}}', "{}", false],
  ],
  "an index is a whole number, and a name in an object": [
    ['{"a.1": 2}', '{"a": [1, 2]}', true],
    ['{"a.1": 2}', '{"a": {"1": 2}}', true],
    ['{"a.-1": 2}', '{"a": [1, 2]}', false],
    ['{"a.1.0": 2}', '{"a": [1, [2]]}', true],
    ['{"a.length": 2}', '{"a": [1, 2]}', false],
  ],
  "ids are ordered by their bytes, and stand behind all that is no text": [
    ['{"_id": {"$gt": "a"}}', '{"_id": "B"}', false],
    ['{"name": {"$gt": "a"}}', '{"name": "B"}', true],
    ['{"_id": {"$gt": {}}}', '{"_id": "B"}', true],
    ['{"name": {"$gt": {}}}', '{"name": "B"}', false],
    ['{"_id": {"$in": ["b", "B", "a"]}}', '{"_id": "B"}', true],
  ],
  "texts are equal as ICU has them, but for $all": [
    ['{"a": "\\u00e9"}', '{"a": "e\\u0301"}', true],
    ['{"a": {"$in": ["x", "\\u00e9", "z"]}}', '{"a": "e\\u0301"}', true],
    ['{"a": {"$all": ["\\u00e9"]}}', '{"a": ["e\\u0301"]}', false],
    ['{"a": {"$eq": {"x": 1, "y": 2}}}', '{"a": {"y": 2, "x": 1}}', false],
  ],
  lists: [
    ['{"a": {"$in": [[1]]}}', '{"a": [[1], 2]}', true],
    ['{"a": {"$in": [[1]]}}', '{"a": [1]}', false],
    ['{"a": {"$nin": [3]}}', '{"a": []}', true],
    ['{"a": {"$all": [1, 1]}}', '{"a": [2, 1]}', true],
    ['{"a": {"$all": [[1], 2]}}', '{"a": [2, [1]]}', true],
    ['{"a": {"$all": [[1], 2]}}', '{"a": [2, 1]}', false],
    ['{"n": 1, "$or": []}', '{"n": 1}', true],
    ['{"n": 1, "$or": []}', '{"n": 2}', false],
  ],
  "elements: $not holds of missing members, and $nor too": [
    ['{"a": {"$elemMatch": {"$not": {"b": 1}}}}', '{"a": [{}]}', true],
    ['{"a": {"$elemMatch": {"b": {"$ne": 1}}}}', '{"a": [{}]}', false],
    ['{"a": {"$elemMatch": {"$nor": [{"b": 1}, {"c": 1}]}}}', '{"a": [{"b": 1}, {"b": 2}]}', true],
    ['{"a": {"$elemMatch": {"$nor": [{"b": 1}, {"c": 1}]}}}', '{"a": [{"b": 1}, {"c": 1}]}', false],
    ['{"a": {"$elemMatch": {}}}', '{"a": [{}]}', true],
    ['{"a": {"$allMatch": {"$exists": true}}}', '{"a": [null]}', true],
    ['{"a": {"$allMatch": {"$elemMatch": {"$gt": 1}}}}', '{"a": [[1, 2], [3]]}', true],
    ['{"a": {"$keyMapMatch": {"$eq": "0"}}}', '{"a": ["x"]}', false],
  ],
  numbers: [
    ['{"a": {"$mod": [2, 0]}}', '{"a": -4}', true],
    ['{"a": {"$mod": [2, 0]}}', '{"a": 4.5}', false],
    ['{"a": {"$mod": [2, 0]}}', '{"a": "4"}', false],
    ['{"a": {"$eq": 0}}', '{"a": -0}', true],
  ],
  "an operator as a value, and values as operators' names": [
    ['{"a": {"$eq": {"$gt": 1}}}', '{"a": {"$gt": 1}}', true],
    ['{"a.\\\\$gt": 1}', '{"a": {"$gt": 1}}', true],
  ],
  "names of prototypes are names": [
    ['{"__proto__": {"$exists": true}}', "{}", false],
    ['{"__proto__": {"$exists": true}}', '{"__proto__": 1}', true],
    ['{"__proto__.a": 1}', '{"__proto__": {"a": 1}}', true],
    ['{"__proto__": {"a": 1}}', '{"__proto__": {"a": 1}}', true],
    ['{"__proto__.toString": {"$exists": true}}', '{"a": 1}', false],
    ['{"constructor.name": {"$exists": true}}', "{}", false],
    ['{"a.constructor.name": {"$exists": true}}', '{"a": []}', false],
    ['{"a": {"$keyMapMatch": {"$eq": "__proto__"}}}', '{"a": {"__proto__": 1}}', true],
    ['{"$and": [{"__proto__": {"polluted": 1}}]}', '{"polluted": 1}', false],
  ],
};

for (const [about, rows] of Object.entries(table)) {
  describe(about, () => {
    for (const [selector, document, wanted] of rows) {
      test(`${selector} ${wanted ? "finds" : "passes over"} ${document}`, () => {
        assert.equal(matches(selector, document), wanted);
      });
    }
  });
}

test("documents that are nested deeper than the stack are matched", () => {
  const deep = `${"[".repeat(500_000)}1${"]".repeat(500_000)}`;
  assert.equal(matches('{"a": [[[1]]]}', `{"a": ${deep}}`), false);
  assert.equal(matches('{"a": {"$in": [{}, [1], [[[2]]]]}}', `{"a": ${deep}}`), false);
  assert.equal(matches('{"a.0.0": {"$type": "array"}}', `{"a": ${deep}}`), true);
});
