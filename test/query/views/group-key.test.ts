import assert from "node:assert/strict";
import { test } from "node:test";
import { groupKey } from "../../../server/query/views/group-key.js";

const cases: readonly (readonly [key: string, level: number, group: string])[] = [
  ["[1,2,3]", 1, "[1]"],
  ["[1,2,3]", 2, "[1,2]"],
  ["[1,2,3]", 3, "[1,2,3]"],
  ["[1,2,3]", 9, "[1,2,3]"],
  ["[1,2,3]", Number.POSITIVE_INFINITY, "[1,2,3]"],
  ["[]", 1, "[]"],
  ["[1.0,12345678901234567890]", 1, "[1.0]"],
  ["[[1,2],[3]]", 1, "[[1,2]]"],
  ['[{"a":[1,2],"b":3},4]', 1, '[{"a":[1,2],"b":3}]'],
  ['["a,b]",1]', 1, '["a,b]"]'],
  ['["quo\\"te,","\\\\",2]', 2, '["quo\\"te,","\\\\"]'],
  ['"a,b"', 1, '"a,b"'],
  ['{"a":1,"b":2}', 1, '{"a":1,"b":2}'],
  ["null", 1, "null"],
];

for (const [key, level, group] of cases) {
  test(`${key} at level ${level} is ${group}`, () => assert.equal(groupKey(key, level), group));
}
