import assert from "node:assert/strict";
import { buffer, text } from "node:stream/consumers";
import test, { type TestContext } from "node:test";
import { CouchError } from "../../protocol/errors.js";
import { waitFor, within } from "../helpers/wait-for.js";
import { sandboxFor } from "./ask.js";

interface Asked {
  readonly head?: unknown;
  readonly req?: unknown;
  readonly timeLimitMs?: number;
  readonly patienceMs?: number;
  /** Rows of one pull. */
  readonly batch?: number;
  /** What the rows end with. */
  readonly failure?: unknown;
  readonly database?: string;
  /** Text in each row. */
  readonly fill?: string;
}

function listsFor(t: TestContext, options = {}) {
  const { sandbox, logs, deaths } = sandboxFor(t, options);
  const source = { pulled: 0, closed: 0 };
  async function* rows(count: number, { batch = 100, failure, fill = "" }: Asked) {
    try {
      for (let from = 0; from < count; from += batch) {
        const size = Math.min(batch, count - from);
        source.pulled += size;
        yield Array.from(
          { length: size },
          (_, n) => `${JSON.stringify({ id: `doc-${from + n}`, key: from + n, value: null, fill })}\n`,
        ).join("");
      }
      if (failure !== undefined) throw failure;
    } finally {
      source.closed++;
    }
  }
  const open = (body: string, count: number, asked: Asked = {}) =>
    sandbox.list({
      database: asked.database ?? "db",
      function: { designDoc: "_design/app", source: body },
      req: JSON.stringify(asked.req ?? {}),
      head: JSON.stringify(asked.head ?? { total_rows: count, offset: 0 }),
      rows: rows(count, asked),
      timeLimitMs: asked.timeLimitMs ?? 5_000,
      ...(asked.patienceMs === undefined ? {} : { patienceMs: asked.patienceMs }),
    });
  const list = async (body: string, count: number, asked: Asked = {}) => {
    const answer = await open(body, count, asked);
    return { start: answer.start, body: await text(answer.body) };
  };
  return { sandbox, open, list, source, logs, deaths };
}

test("a list pulls rows with getRow()", async (t) => {
  const { list } = listsFor(t);
  const all =
    "function (head, req) { var r; send('['); while (r = getRow()) send(r.key + ':' + r.id + ';'); return ']'; }";
  assert.deepEqual(await list(all, 3), { start: { headers: {} }, body: "[0:doc-0;1:doc-1;2:doc-2;]" });
  assert.deepEqual(await list(all, 3, { batch: 1 }), { start: { headers: {} }, body: "[0:doc-0;1:doc-1;2:doc-2;]" });
  assert.deepEqual(await list(all, 0), { start: { headers: {} }, body: "[]" });
  const head = "function (head, req) { return JSON.stringify([head, req.query]); }";
  assert.equal((await list(head, 1, { req: { query: { a: "1" } } })).body, '[{"total_rows":1,"offset":0},{"a":"1"}]');
  const beyond = "function () { getRow(); getRow(); getRow(); return JSON.stringify([getRow(), getRow()]); }";
  assert.equal((await list(beyond, 2)).body, "[null,null]");
  assert.equal((await list("function () { getRow(); return JSON.stringify(getRow().id); }", 2)).body, '"doc-1"');
});

test("start counts until something is sent", async (t) => {
  const { list } = listsFor(t);
  const early =
    "function () { start({ code: 203, headers: { A: 'b' } }); send('1'); getRow(); start({ code: 500 }); send('2'); }";
  assert.deepEqual(await list(early, 1), { start: { code: 203, headers: { A: "b" } }, body: "12" });
  const late =
    "function () { start({ code: 203 }); getRow(); start({ code: 400 }); send('bad'); start({ code: 401 }); }";
  assert.deepEqual(await list(late, 1), { start: { code: 401, headers: {} }, body: "bad" });
  const provided = "function () { provides('html', function () { getRow(); return '<p>'; }); }";
  assert.deepEqual(await list(provided, 1), {
    start: { headers: { "Content-Type": "text/html; charset=utf-8" } },
    body: "<p>",
  });
});

test("a list that sends nothing has no head", async (t) => {
  const { list } = listsFor(t);
  for (const nothing of ["function () {}", "function () { start({ code: 400 }); while (getRow()); return null; }"]) {
    assert.deepEqual(await list(nothing, 2), { start: undefined, body: "" });
  }
  assert.deepEqual(await list("function () { return ''; }", 2), { start: { headers: {} }, body: "" });
});

test("no more is pulled than is read, and the rows are closed in every outcome", async (t) => {
  const { list, source } = listsFor(t);
  assert.equal((await list("function () { return 'none'; }", 1_000)).body, "none");
  assert.deepEqual([source.pulled, source.closed], [0, 0]);
  assert.equal((await list("function () { return getRow().id; }", 1_000)).body, "doc-0");
  assert.deepEqual([source.pulled, source.closed], [100, 1]);
  await assert.rejects(list("function () { getRow(); throw 'no'; }", 1_000), { error: "render_error" });
  assert.deepEqual([source.pulled, source.closed], [200, 2]);
});

test("more rows and more text than fit into the memory of a realm", async (t) => {
  const { list, source } = listsFor(t);
  const fill = "x".repeat(1_000);
  const copy = "function () { var r, n = 0; while (r = getRow()) { send(r.fill); n++; } return String(n); }";
  const { body } = await list(copy, 150_000, { fill, batch: 1_000 });
  assert.equal(body.length, 150_000 * 1_000 + 6);
  assert.ok(body.endsWith("150000"));
  assert.equal(source.closed, 1);
});

test("the answer begins before the rows end", async (t) => {
  const { open, source } = listsFor(t);
  const { start, body } = await open("function () { send('a'); while (getRow()) send('b'); }", 1_000_000, {
    batch: 10,
  });
  assert.deepEqual(start, { headers: {} });
  assert.ok(source.pulled < 1_000_000, `${source.pulled} rows were pulled before the head came`);
  body.destroy();
  await waitFor("the rows to be closed", () => source.closed === 1);
  assert.ok(source.pulled < 1_000_000);
});

test("a function is ended when its reader goes away", async (t) => {
  const { open, source, sandbox } = listsFor(t);
  const endless = "function () { send('a'); for (;;) { try { while (true) { getRow(); send('b'); } } catch (e) {} } }";
  const { body } = await open(endless, 1_000_000, { batch: 10 });
  body.destroy();
  await waitFor("the thread", () => sandbox.statistics().busyThreads === 0);
  assert.equal(source.closed, 1);
});

test("a reader who reads nothing any more does not hold the thread for ever", async (t) => {
  const { open, sandbox } = listsFor(t);
  const { body } = await open("function () { var r; while (r = getRow()) send(r.fill); }", 100_000, {
    fill: "x".repeat(1_000),
    patienceMs: 100,
  });
  await waitFor("the thread", () => sandbox.statistics().busyThreads === 0);
  await assert.rejects(buffer(body), { error: "timeout" });
});

test("a slow reader gets everything", async (t) => {
  const { open } = listsFor(t);
  const { body } = await open("function () { var r; while (r = getRow()) send(r.fill); }", 40_000, {
    fill: "x".repeat(1_000),
    patienceMs: 5_000,
  });
  let length = 0;
  for await (const chunk of body) {
    await new Promise(setImmediate);
    length += (chunk as Buffer).length;
  }
  assert.equal(length, 40_000 * 1_000);
});

test("a list that throws, early and late", async (t) => {
  const { list, open } = listsFor(t);
  const refused: readonly (readonly [string, object])[] = [
    ["throw { forbidden: 'no' };", { error: "render_error", reason: 'function raised error: {"forbidden":"no"}' }],
    ["send('start'); throw 'early';", { reason: "function raised error: early" }],
    ["throw ['error', 'not_found', 'mine'];", { error: "not_found", reason: "mine", status: 404 }],
    ["getRow(); fooBarBam;", { reason: /ReferenceError/ }],
    ["provides('html', function () {});", { error: "not_acceptable", status: 406 }],
  ];
  for (const [body, error] of refused) {
    const req = { headers: { Accept: "image/png" } };
    await assert.rejects(list(`function () { ${body} }`, 1, { req }), error, body);
  }
  await assert.rejects(list("function (head", 1), { error: "compilation_error", status: 500 });
  const { start, body } = await open("function () { send('a'); getRow(); throw 'late'; }", 1);
  assert.deepEqual(start, { headers: {} });
  await assert.rejects(text(body), { reason: "function raised error: late" });
});

test("rows that fail, before and after the head", async (t) => {
  const { list, open } = listsFor(t);
  const failure = new CouchError("invalid_value", "not a number");
  await assert.rejects(list("function () { while (getRow()); return 'a'; }", 3, { failure }), {
    reason: "not a number",
  });
  const { body } = await open("function () { send('a'); while (getRow()); }", 3, { failure });
  await assert.rejects(text(body), { reason: "not a number" });
});

test("each batch has the time limit anew, and no loop has it for ever", async (t) => {
  const { list } = listsFor(t);
  const busy =
    "function () { var r, n = 0; while (r = getRow()) { var end = Date.now() + 30; while (Date.now() < end); n++; } return String(n); }";
  assert.equal((await list(busy, 10, { batch: 1, timeLimitMs: 100 })).body, "10");
  await assert.rejects(list(busy, 1_000, { batch: 1, timeLimitMs: 100 }), { error: "timeout" });
  await assert.rejects(list("function () { getRow(); for (;;); }", 2, { timeLimitMs: 100 }), { error: "timeout" });
});

test("a list waits for slow rows without being taken for hung", async (t) => {
  const { sandbox, deaths } = listsFor(t);
  let give: () => void = () => undefined;
  const given = new Promise<void>((resolve) => {
    give = resolve;
  });
  async function* slow() {
    await given;
    yield '{"key":1}\n';
  }
  const answering = sandbox.list({
    database: "db",
    function: { designDoc: "_design/app", source: "function () { return String(getRow().key); }" },
    req: "{}",
    head: "{}",
    rows: slow(),
    timeLimitMs: 20,
  });
  // The watch over the thread would have ended it after twice the limit and a second.
  setTimeout(give, 1_500);
  assert.equal(await text((await answering).body), "1");
  assert.deepEqual(deaths, []);
});

test("lists hold up no other functions", async (t) => {
  const { sandbox } = listsFor(t);
  const endless = "function () { send('a'); while (getRow()); }";
  async function* forever() {
    yield '{"key":1}\n';
    await new Promise(() => undefined);
  }
  const held = await sandbox.list({
    database: "db",
    function: { designDoc: "_design/app", source: endless },
    req: "{}",
    head: "{}",
    rows: forever(),
  });
  const shown = sandbox.show({
    database: "db",
    function: { designDoc: "_design/app", source: "() => 'shown'" },
    doc: null,
    req: "{}",
  });
  assert.deepEqual(await within("a show beside a list", shown), { body: "shown" });
  held.body.destroy();
});

test("what one call leaves behind is not seen by the next", async (t) => {
  const { list, logs } = listsFor(t);
  const source =
    "function (head, req) { if (req.first) { send('x'); getRow(); log('first'); throw 'no'; } send(String(getRow().key)); }";
  await assert.rejects(list(source, 3, { req: { first: true } }));
  assert.deepEqual(await list(source, 3, { batch: 1 }), { start: { headers: {} }, body: "0" });
  assert.ok(logs.some(({ message }) => message === "first"));
});

test("the function that gives rows is out of reach", async (t) => {
  const { list } = listsFor(t);
  const looks =
    "function () { var names = Object.getOwnPropertyNames(globalThis).filter(function (name) { return /pull/i.test(name); }); try { pull('', 'forged'); } catch (e) { names.push(e.name); } try { names.push(String(getRow.caller)); } catch (e) { names.push(e.name); } return names.join(); }";
  const { body } = await list(looks, 1);
  assert.match(body, /^ReferenceError,(TypeError|undefined|null)$/);
  const patched =
    "function () { String.prototype.indexOf = function () { return -1; }; JSON.parse = function () { return { key: 'forged' }; }; return getRow().key; }";
  await assert.doesNotReject(list(patched, 1));
});
