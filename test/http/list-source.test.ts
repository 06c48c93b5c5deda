import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { openListSource } from "../../server/http/list-source.js";

/** Cuts bytes at random places. */
async function* inPieces(
  bytes: Buffer,
  cuts: readonly number[],
  ended: () => void = () => undefined,
): AsyncGenerator<Buffer> {
  try {
    const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((one, other) => one - other);
    let from = 0;
    for (const place of [...places, bytes.length]) {
      yield bytes.subarray(from, place);
      from = place;
    }
  } finally {
    ended();
  }
}

test("whatever the rows are and however they come, they are the same", async () => {
  const row = fc.record({
    id: fc.string({ unit: "binary" }),
    key: fc.jsonValue(),
    value: fc.constantFrom(",\n", "]}", "\n", 1),
  });
  const head = fc.constantFrom({ total_rows: 3, offset: 1 }, {}, { total_rows: 3, offset: null, update_seq: "3-a" });
  // Views begin their rows with a line feed, `_all_docs` ends its head with one.
  const empty = fc.constantFrom("\n]}", "\n\n]}");
  await fc.assert(
    fc.asyncProperty(fc.array(row), head, empty, fc.array(fc.nat(5_000)), async (rows, head, end, cuts) => {
      const start = JSON.stringify({ ...head, rows: 0 }).replace(/0\}$/, "[");
      const text = start + (rows.length === 0 ? end : `\n${rows.map((row) => JSON.stringify(row)).join(",\n")}\n]}`);
      const source = await openListSource(inPieces(Buffer.from(text), cuts));
      let lines = "";
      for await (const some of source.rows) {
        assert.ok(some.endsWith("\n"), some);
        lines += some;
      }
      assert.equal(source.head, JSON.stringify(head));
      assert.equal(lines, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
    }),
  );
});

test("an answer is let go of, however far it was read", async () => {
  const text = Buffer.from('{"rows":[\n1,\n2,\n3\n]}');
  for (let read = 0; read < 3; read++) {
    let ended = 0;
    const { rows } = await openListSource(inPieces(text, [12, 15, 18], () => ended++));
    const iterator = rows[Symbol.asyncIterator]();
    for (let count = 0; count < read; count++) await iterator.next();
    assert.equal(ended, 0);
    await iterator.return?.();
    assert.equal(ended, 1, `after ${read}`);
  }
});

test("an answer that fails before its rows fails, and is let go of", async () => {
  async function* failing(): AsyncGenerator<Buffer> {
    yield Buffer.from('{"total_rows":');
    throw new Error("no");
  }
  await assert.rejects(openListSource(failing()), { message: "no" });
  let ended = 0;
  await assert.rejects(openListSource(inPieces(Buffer.from('{"rows"'), [], () => ended++)), /ended before/);
  assert.equal(ended, 1);
});
