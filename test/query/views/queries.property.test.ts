/** Random queries over a tree answer what the same queries over a plain list of rows answer. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { ViewQuery } from "../../../protocol/view-query.js";
import { compareUtf8 } from "../../../server/query/collation.js";
import { parseExactWith } from "../../../server/query/exact-json.js";
import { queryRows } from "../../../server/query/views/range-query.js";
import { queryReduced } from "../../../server/query/views/reduce-query.js";
import { countReducer, sumReducer } from "../../../server/query/views/reduce-sum.js";
import type { ViewIndex } from "../../../server/query/views/view-index.js";
import { HeldStore } from "../../helpers/held-store.js";
import { assertSent, emittedBy, gathered, type ModelRow, ModelView, openIndex } from "../../helpers/index-world.js";
import { batches, documentId, keyText } from "../../helpers/random-rows.js";

const reducers = [countReducer, sumReducer];

const optional = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined });

const range: fc.Arbitrary<ViewQuery> = fc.record({
  startKey: optional(keyText),
  startKeyDocId: optional(documentId),
  endKey: optional(keyText),
  endKeyDocId: optional(documentId),
  inclusiveEnd: optional(fc.boolean()),
  key: fc.option(keyText, { nil: undefined, freq: 4 }),
  keys: fc.option(fc.array(keyText, { maxLength: 6 }), { nil: undefined, freq: 4 }),
  descending: optional(fc.boolean()),
  skip: optional(fc.integer({ min: 0, max: 12 })),
  limit: optional(fc.integer({ min: 0, max: 40 })),
});

const inverted = /No rows can match your key range/;

/** The rows that a query is about, in its order, before `skip` and `limit`: one list for each key. */
function modelRanges(model: ModelView, query: ViewQuery): readonly (readonly ModelRow[])[] {
  const sign = query.descending ? -1 : 1;
  const rows = query.descending ? model.rows.toReversed() : model.rows;
  if (query.keys) {
    const keys = query.descending ? query.keys.toReversed() : query.keys;
    return keys.map((key) =>
      rows.filter((row) => rangeHas(row, { ...query, startKey: key, endKey: key, inclusiveEnd: true })),
    );
  }
  return [rows.filter((row) => rangeHas(row, query))];

  function rangeHas(
    row: ModelRow,
    { startKey, endKey, key, startKeyDocId, endKeyDocId, inclusiveEnd }: ViewQuery,
  ): boolean {
    const [start, end] = [startKey ?? key, endKey ?? key];
    if (start !== undefined && sign * placeOf(row, start, startKeyDocId) < 0) return false;
    if (end === undefined) return true;
    const order = sign * placeOf(row, end, endKeyDocId);
    return order < 0 || (order === 0 && inclusiveEnd !== false);
  }

  function placeOf(row: ModelRow, key: string, id: string | undefined): number {
    return model.compareKeys(row.key, key) || (id === undefined ? 0 : compareUtf8(row.id, id));
  }
}

function isInverted(model: ModelView, query: ViewQuery): boolean {
  const [start, end] = [query.startKey ?? query.key, query.endKey ?? query.key];
  if (query.keys || start === undefined || end === undefined) return false;
  const order = model.compareKeys(start, end);
  return query.descending ? order < 0 : order > 0;
}

async function withIndex(
  applied: readonly Parameters<typeof emittedBy>[0][],
  use: (index: ViewIndex, model: ModelView) => Promise<void>,
): Promise<void> {
  const store = new HeldStore();
  store.holding = false;
  const index = await openIndex(store, { views: [{ collation: "icu", reducers }], nodeBytes: 200 });
  const model = new ModelView("icu");
  await index.update(async (writer) => {
    for (const batch of applied) {
      await writer.apply(emittedBy(batch));
      model.apply(batch);
    }
    await writer.commit({ updateSeq: applied.length, purgeSeq: 0 });
  });
  await use(index, model);
}

test("ranges of rows: the same rows, totals and offsets", async () => {
  await fc.assert(
    fc.asyncProperty(batches, fc.array(range, { minLength: 10, maxLength: 30 }), (applied, queries) =>
      withIndex(applied, (index, model) =>
        index.read(async ({ trees: [tree] }) => {
          assert.ok(tree);
          for (const query of queries) {
            if (isInverted(model, query)) {
              await assert.rejects(queryRows(tree, query), inverted);
              continue;
            }
            const answer = await queryRows(tree, query);
            const rows = modelRanges(model, query).flat();
            const { skip = 0, limit = rows.length } = query;
            assertSent([await gathered(answer.rows)], rows.slice(skip, skip + limit));
            assert.equal(answer.totalRows, model.rows.length);
            const [first] = rows;
            if (first) {
              const ordered = query.descending ? model.rows.toReversed() : model.rows;
              assert.equal(answer.offset, Math.min(ordered.indexOf(first) + skip, model.rows.length));
            }
          }
        }),
      ),
    ),
    { numRuns: 60 },
  );
});

test("groups of every level: the same keys, counts and sums", async () => {
  await fc.assert(
    fc.asyncProperty(
      batches,
      fc.array(fc.tuple(range, fc.constantFrom(0, 1, 2, 3, Number.POSITIVE_INFINITY)), {
        minLength: 10,
        maxLength: 30,
      }),
      (applied, queries) =>
        withIndex(applied, (index, model) =>
          index.read(async ({ trees: [tree] }) => {
            assert.ok(tree);
            for (const [given, level] of queries) {
              const query =
                level === Number.POSITIVE_INFINITY ? { ...given, group: true } : { ...given, groupLevel: level };
              const counted = queryReduced(tree, 0, countReducer, query);
              if (query.keys && level !== Number.POSITIVE_INFINITY) {
                await assert.rejects(gathered(counted), /must use `group=true`/);
              } else if (isInverted(model, query)) {
                await assert.rejects(gathered(counted), inverted);
              } else {
                const groups = modelRanges(model, query).flatMap((rows) => modelGroups(model, rows, level));
                const wanted = groups.slice(query.skip ?? 0).slice(0, query.limit ?? groups.length);
                assert.deepEqual(
                  await gathered(counted),
                  wanted.map(({ key, rows }) => ({ key, value: String(rows.length) })),
                );
                assert.deepEqual(
                  await gathered(queryReduced(tree, 1, sumReducer, query)),
                  wanted.map(({ key, rows }) => ({ key, value: sumOf(rows) })),
                );
              }
            }
          }),
        ),
    ),
    { numRuns: 60 },
  );
});

interface ModelGroup {
  readonly key: string;
  readonly rows: ModelRow[];
}

function modelGroups(model: ModelView, rows: readonly ModelRow[], level: number): readonly ModelGroup[] {
  const groups: ModelGroup[] = [];
  for (const row of rows) {
    const key = level === 0 ? "null" : beginningOf(row.key, level);
    const last = groups.at(-1);
    if (last && model.compareKeys(last.key, key) === 0) last.rows.push(row);
    else groups.push({ key, rows: [row] });
  }
  return groups;
}

/** The text of the first elements, printed anew with numbers as they were spelled. */
function beginningOf(key: string, level: number): string {
  const value = parseExactWith(key, (spelling) => ({ spelling }));
  return Array.isArray(value) ? print(value.slice(0, level)) : key;
}

function print(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(print).join(",")}]`;
  if (value instanceof Map)
    return `{${[...value].map(([name, each]) => `${JSON.stringify(name)}:${print(each)}`).join(",")}}`;
  if (typeof value === "object" && value !== null) return (value as { spelling: string }).spelling;
  return JSON.stringify(value);
}

function sumOf(rows: readonly ModelRow[]): string {
  return String(rows.reduce((sum, { value }) => sum + BigInt(value), 0n));
}
