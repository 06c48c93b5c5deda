/** Whatever index answers a query, and in however many pages: the answer is that of looking through all documents. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { compareJson } from "../../../server/query/collation.js";
import type { Json } from "../../../server/query/mango/body-members.js";
import { badPath, notFound, parseFieldPath, valueAt } from "../../../server/query/mango/field-path.js";
import { columnsOf, type MangoIndex } from "../../../server/query/mango/mango-index.js";
import { compileSelector } from "../../../server/query/mango/match.js";
import { parseSelector } from "../../../server/query/mango/selector.js";
import { MangoWorld } from "../../helpers/mango-world.js";
import { documentBody, jsonValue, selector } from "../../helpers/random-selectors.js";
import { openTestStore, type TestStore } from "../../helpers/temp-store.js";

interface Case {
  readonly bodies: readonly Json[];
  /** Index into `bodies`, and what takes that one's place once the indexes are there. */
  readonly edits: readonly (readonly [number, Json | undefined])[];
  readonly indexes: readonly (readonly string[])[];
  readonly filter: Json;
  readonly selectors: readonly Json[];
}

/** Few values, so that documents have the same ones, and selectors ask for them. */
const value = fc.oneof({ weight: 5, arbitrary: fc.constantFrom<unknown>(0, 1, 2, "a", "b", "B") }, jsonValue);
const body = fc.record({ a: value, b: value, c: value }, { requiredKeys: [] });
const bodies = fc.oneof({ weight: 3, arbitrary: body }, documentBody);

const column = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom("a", "b", "c") },
  { weight: 2, arbitrary: fc.constantFrom("a.a", "a.0", "c.b") },
  fc.constantFrom("_id", "_rev", "__proto__"),
);

/** Selectors that narrow an index down are rare among those of the other tests. */
const narrowing = fc
  .dictionary(
    fc.oneof({ weight: 8, arbitrary: fc.constantFrom("a", "b", "c") }, fc.constantFrom("a.0", "_id")),
    fc.oneof(
      fc.record({ $eq: value }),
      fc.record({ $gt: value }),
      fc.record({ $gte: value, $lte: value }),
      fc.record({ $gt: value, $lt: value }),
      fc.record({ $beginsWith: fc.constantFrom("", "a", "A", "é", "d") }),
      fc.record({ $in: fc.array(value, { maxLength: 3 }) }),
      fc.constant({ $exists: true }),
    ),
    { minKeys: 1, maxKeys: 3 },
  )
  .map((conditions) => conditions as Json);

const cases: fc.Arbitrary<Case> = fc.record({
  bodies: fc.array(bodies, { minLength: 4, maxLength: 12 }),
  edits: fc.array(fc.tuple(fc.nat(11), fc.option(bodies, { nil: undefined })), { maxLength: 3 }),
  indexes: fc.array(fc.uniqueArray(column, { minLength: 1, maxLength: 2 }), { minLength: 1, maxLength: 3 }),
  filter: selector,
  selectors: fc.array(
    fc.oneof({ weight: 3, arbitrary: narrowing }, selector, fc.tuple(narrowing, selector).map(merged)),
    {
      minLength: 1,
      maxLength: 4,
    },
  ),
});

function merged([one, other]: readonly [Json, Json]): Json {
  return { $and: [one, other] };
}

const runs = { numRuns: 150 };
const all = { limit: 1000 };

describe("any index", () => {
  test("finds what all documents have", async (t) => {
    const store = await openTestStore(t);
    await fc.assert(
      fc.asyncProperty(cases, async (one) => {
        const { world, documents } = await prepare(store, one);
        for (const selector of one.selectors) {
          const wanted = matching(documents, selector);
          for (const use_index of indexNames(one)) {
            const { docs, plan } = await world.find({ selector, use_index, ...all });
            const inIndex = isPartial(plan.index) ? matching(wanted, one.filter) : wanted;
            assert.deepEqual(idsOf(docs), idsOf(inIndex), JSON.stringify([selector, use_index]));
          }
        }
      }),
      runs,
    );
  });

  test("sorts by its columns, either way, and has those documents that can be sorted", async (t) => {
    const store = await openTestStore(t);
    await fc.assert(
      fc.asyncProperty(cases, fc.constantFrom("asc", "desc"), async (one, direction) => {
        const { world, documents } = await prepare(store, one);
        for (const selector of one.selectors) {
          for (const columns of one.indexes) {
            const sort = columns.map((name) => ({ [name]: direction }));
            const { docs, plan } = await world.find({ selector, sort, ...all });
            const keys = docs.map((document) => columns.map((name) => valueAt(document, parseFieldPath(name))));
            const inOrder = keys.toSorted((a, b) => compareJson(a, b) * (direction === "asc" ? 1 : -1));
            assert.deepEqual(keys, inOrder, JSON.stringify([selector, sort]));
            const wanted = matching(documents, selector).filter((document) =>
              [...columns, ...columnsOf(plan.index as MangoIndex)].every((name) => has(document, name)),
            );
            assert.deepEqual(idsOf(docs), idsOf(wanted), JSON.stringify([selector, sort]));
          }
        }
      }),
      runs,
    );
  });

  test("gives in pages what it gives at once", async (t) => {
    const store = await openTestStore(t);
    await fc.assert(
      fc.asyncProperty(cases, fc.integer({ min: 1, max: 4 }), fc.nat(2), async (one, limit, skip) => {
        const { world } = await prepare(store, one);
        for (const selector of one.selectors) {
          for (const use_index of indexNames(one)) {
            const whole = await world.find({ selector, use_index, ...all });
            const paged: Json[] = [];
            let bookmark: string | undefined;
            for (;;) {
              const page = await world.find({ selector, use_index, limit, skip, bookmark: bookmark ?? null });
              paged.push(...page.docs);
              if (page.docs.length < limit) break;
              bookmark = page.bookmark;
            }
            const taken = whole.docs.filter((_, i) => i % (limit + skip) >= skip);
            assert.deepEqual(paged, taken, JSON.stringify([selector, use_index]));
          }
        }
      }),
      runs,
    );
  });

  test("has of a document what the document has", async (t) => {
    const store = await openTestStore(t);
    let covered = 0;
    await fc.assert(
      fc.asyncProperty(cases, async (one) => {
        const { world } = await prepare(store, one);
        for (const columns of one.indexes) {
          for (const selector of [exist(columns), ...one.selectors]) {
            const fields = [...columns, "_id"];
            const { docs, plan } = await world.find({ selector, fields, ...all });
            if (plan.isCovering) covered += docs.length;
            // With a field that no index has, documents are read.
            const read = await world.find({ selector, fields: [...fields, "nowhere"], ...all });
            assert.deepEqual(docs, read.docs, JSON.stringify([selector, fields]));
          }
        }
      }),
      runs,
    );
    assert.ok(covered > 100, `${covered} documents were covered`);
  });
});

/** The database after all edits, which the indexes saw come one after the other. */
async function prepare(
  store: TestStore,
  { bodies, edits, indexes, filter }: Case,
): Promise<{ readonly world: MangoWorld; readonly documents: readonly Json[] }> {
  const world = await MangoWorld.create(store);
  await world.write(bodies.map((body, i) => [idOf(i), body]));
  await world.createIndexes(
    indexes.flatMap((fields, i) => [
      { index: { fields }, ddoc: `whole-${i}`, name: "x" },
      { index: { fields, partial_filter_selector: filter }, ddoc: `partial-${i}`, name: "x" },
    ]),
  );
  for (const columns of indexes) await world.find({ selector: exist(columns), sort: [...columns], ...all });
  for (const edit of edits.filter(([i]) => i < bodies.length)) await world.write([[idOf(edit[0]), edit[1]]]);
  const { docs } = await world.find({ selector: {}, ...all });
  return { world, documents: docs };
}

/** Any index on these fields fits. */
function exist(columns: readonly string[]): Json {
  return { $and: columns.map((name) => ({ [name]: { $exists: true } })) };
}

function idOf(i: number): string {
  return ["a", "A", "b", "B", "é", "d", "D", "e", "f", "10", "9", "~"][i] as string;
}

function indexNames({ indexes }: Case): readonly string[] {
  return indexes.flatMap((_, i) => [`whole-${i}`, `partial-${i}`]);
}

function isPartial(index: MangoIndex | undefined): boolean {
  return index?.type === "json" && index.partialFilter !== undefined;
}

function matching(documents: readonly Json[], selector: Json): readonly Json[] {
  return documents.filter(compileSelector(parseSelector(selector)));
}

function has(document: Json, name: string): boolean {
  const value = valueAt(document, parseFieldPath(name));
  return value !== notFound && value !== badPath;
}

function idsOf(documents: readonly Json[]): readonly string[] {
  return documents.map(({ _id }) => _id as string).sort();
}
