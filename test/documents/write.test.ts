import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseDocId, type RevId } from "../../protocol/ids.js";
import { idOfRow, revOfRow } from "../../server/documents/sequence-entry.js";
import type { Announcement } from "../../server/documents/update-log.js";
import { recount } from "../helpers/database-facts.js";
import { bodyOf, changesSince, edit, mustFind, replicated, writeOne } from "../helpers/incoming-revisions.js";
import { keysOnDisk } from "../helpers/raw-store.js";
import { linesOf } from "../helpers/revision-trees.js";
import { openTestStore } from "../helpers/temp-store.js";

const linesIn = (...[database, id]: Parameters<typeof mustFind>): readonly string[] =>
  linesOf(mustFind(database, id).record.tree);

describe("a write", () => {
  it("gives each document its latest sequence, and each document once in the changes", async (t) => {
    const { database } = await openTestStore(t);
    const a1 = await writeOne(database, edit("a"));
    const b1 = await writeOne(database, edit("b"));
    const a2 = await writeOne(database, edit("a", { on: a1 }));
    const c1 = await writeOne(database, edit("c"));
    const b2 = await writeOne(database, edit("b", { on: b1, deleted: true }));
    assert.deepEqual(await changesSince(database), [
      [3, "a", a2],
      [4, "c", c1],
      [5, "b", b2],
    ]);
    assert.deepEqual(await changesSince(database, 3), [
      [4, "c", c1],
      [5, "b", b2],
    ]);
    assert.equal(database.updateSeq, 5);
    assert.equal(await database.countChanges(3), 2);
  });

  it("reads changes within bounds and backwards", async (t) => {
    const { database } = await openTestStore(t);
    for (const id of ["a", "b", "c", "d"]) await writeOne(database, edit(id));
    const seqsOf = async (range: Parameters<typeof database.changes>[0]): Promise<number[]> => {
      const seqs: number[] = [];
      for await (const step of database.changes(range)) seqs.push(...step.map(({ seq }) => seq));
      return seqs;
    };
    assert.deepEqual(await seqsOf({ since: 1, upTo: 3 }), [2, 3]);
    assert.deepEqual(await seqsOf({ since: 0, descending: true, step: 3 }), [4, 3, 2, 1]);
    assert.deepEqual(await seqsOf({ since: 4 }), []);
  });

  it("lets revisions of one request see each other, and answers each by itself", async (t) => {
    const { database } = await openTestStore(t);
    const first = edit("a", { body: { n: 1 } });
    const [made, conflict, other] = await database.write([first, edit("a", { body: { n: 2 } }), edit("b")], "trusted");
    assert.ok(made?.rev && other?.rev);
    assert.equal(conflict?.error?.error, "conflict");
    const line = await database.write(
      [edit("a", { on: made.rev }), replicated("c", "1-x"), replicated("c", "1-x 2-y")],
      "trusted",
    );
    assert.deepEqual(
      line.map(({ error }) => error),
      [undefined, undefined, undefined],
    );
    assert.deepEqual(linesIn(database, "c"), ["1-x 2-y"]);
    assert.deepEqual(
      (await changesSince(database)).map(([seq, id]) => [seq, id]),
      [
        [2, "b"],
        [3, "a"],
        [5, "c"],
      ],
    );
  });

  it("lets exactly one of many edits of one revision through", async (t) => {
    const { database } = await openTestStore(t);
    const rev = await writeOne(database, edit("a"));
    const edits = Array.from({ length: 20 }, (_, n) =>
      database.write([edit("a", { on: rev, body: { n } })], "trusted"),
    );
    const outcomes = (await Promise.all(edits)).flat();
    assert.equal(outcomes.filter(({ error }) => error === undefined).length, 1);
    assert.equal(outcomes.filter(({ error }) => error?.error === "conflict").length, 19);
    assert.equal(database.updateSeq, 2);
  });

  it("tells listeners of commits in the order of sequences, after they can be read", async (t) => {
    const { database } = await openTestStore(t);
    const heard: Announcement[] = [];
    const unread: string[] = [];
    database.subscribe({
      changed: (changes) => {
        heard.push(...changes);
        for (const { id, entry } of changes) {
          const row = entry.subarray(entry[1]);
          assert.equal(idOfRow(row), id);
          if (bodyOf(database, id, revOfRow(row)) === undefined) unread.push(id);
        }
      },
    });
    await Promise.all(Array.from({ length: 30 }, (_, n) => database.write([edit(`a${n}`), edit(`b${n}`)], "trusted")));
    assert.deepEqual(
      heard.map(({ seq }) => seq),
      Array.from({ length: 60 }, (_, i) => i + 1),
    );
    assert.deepEqual(unread, []);
  });

  it("tells a listener nothing any more that has unsubscribed", async (t) => {
    const { database } = await openTestStore(t);
    const heard: string[] = [];
    const listen = (who: string): (() => void) => database.subscribe({ changed: () => heard.push(who) });
    const [stopFirst] = [listen("first"), listen("second")];
    await writeOne(database, edit("a"));
    stopFirst?.();
    await writeOne(database, edit("b"));
    assert.deepEqual(heard, ["first", "second", "second"]);
  });

  it("goes on with the history of a deleted document", async (t) => {
    const { database } = await openTestStore(t);
    const one = await writeOne(database, edit("a"));
    const two = await writeOne(
      database,
      edit("a", { on: one, deleted: true, body: { why: "tombstones have bodies" } }),
    );
    const three = await writeOne(database, edit("a", { body: { back: true } }));
    assert.match(three, /^3-/);
    assert.deepEqual(linesIn(database, "a"), [`${one} ${two}! ${three}`]);
    assert.deepEqual(database.log.committed.counters.documents, 1);
    assert.deepEqual(database.log.committed.counters.deletedDocuments, 0);
    assert.deepEqual(bodyOf(database, "a", two), { why: "tombstones have bodies" });
  });

  it("keeps every leaf's body readable, small or large, whoever wins", async (t) => {
    const { database } = await openTestStore(t);
    const large = "x".repeat(5000);
    for (const [id, first, second] of [
      ["small", "s", "t"],
      ["large", large, `${large}y`],
      ["mixed", "s", large],
      ["swap", large, "s"],
    ] as const) {
      const bodies: Record<string, string> = { "1-a": first, "2-b": second, "2-z": `${first}!`, "3-c": `${second}?` };
      // 2-b wins, then 2-z, then 3-c; then it is deleted and 2-z wins again.
      for (const line of ["1-a", "1-a 2-b", "1-a 2-z", "1-a 2-b 3-c"]) {
        await writeOne(database, replicated(id, line, { body: { text: bodies[line.split(" ").at(-1) as string] } }));
      }
      await writeOne(database, replicated(id, "1-a 2-b 3-c 4-d", { deleted: true }));
      for (const [rev, text] of Object.entries(bodies))
        assert.deepEqual(bodyOf(database, id, rev), { text }, `${id} ${rev}`);
      const { tree, winner } = mustFind(database, id).record;
      assert.equal(tree[winner]?.hash, "z");
    }
  });
});

describe("a replicated revision", () => {
  it("that is there already uses no sequence", async (t) => {
    const { database } = await openTestStore(t);
    const revisions = [replicated("a", "1-a 2-b"), replicated("a", "1-a 2-c", { deleted: true })];
    await database.write(revisions, "trusted");
    const before = await changesSince(database);
    const again = await database.write([...revisions, ...revisions], "trusted");
    assert.deepEqual(
      again.map(({ rev, error }) => [rev, error]),
      ["2-b", "2-c", "2-b", "2-c"].map((rev) => [rev, undefined]),
    );
    assert.deepEqual(await changesSince(database), before);
    assert.equal(database.updateSeq, 2);
  });

  it("that was known by name gets its body, and the winner stays", async (t) => {
    const { database } = await openTestStore(t);
    await writeOne(database, replicated("a", "1-a 2-b 3-c", { body: { n: 3 } }));
    assert.equal(bodyOf(database, "a", "2-b"), undefined);
    await writeOne(database, replicated("a", "1-a 2-b", { body: { n: 2 } }));
    assert.deepEqual(bodyOf(database, "a", "2-b"), { n: 2 });
    assert.deepEqual(bodyOf(database, "a", "3-c"), { n: 3 });
    assert.deepEqual(linesIn(database, "a"), ["1-a? 2-b 3-c"]);
    assert.deepEqual(await changesSince(database), [[2, "a", "3-c"]]);
    assert.deepEqual(database.log.committed.counters, await recount(database));
  });

  it("that brings nothing but the edge between two roots makes one line of them", async (t) => {
    const { database } = await openTestStore(t);
    //   2-b            2-b ── 3-c
    //   3-c       →               a peer whose history was cut told of both, then one that knows more
    await database.write([replicated("a", "2-b"), replicated("a", "3-c")], "trusted");
    assert.deepEqual(linesIn(database, "a"), ["2-b", "3-c"]);
    await writeOne(database, replicated("a", "2-b 3-c"));
    assert.deepEqual(linesIn(database, "a"), ["2-b 3-c"]);
    const before = database.updateSeq;
    await writeOne(database, replicated("a", "2-b 3-c"));
    assert.equal(database.updateSeq, before);
    assert.deepEqual(database.log.committed.counters, await recount(database));
  });

  it("that tells another past than the one known leaves no leaf without a body", async (t) => {
    const { database } = await openTestStore(t);
    await writeOne(database, replicated("a", "1-a 2-b", { deleted: true }));
    await writeOne(database, replicated("a", "1-x 2-b", { deleted: true }));
    assert.deepEqual(linesIn(database, "a"), ["1-a? 2-b!"]);
  });

  it("with a hash that is no hexadecimal number is a revision like any other", async (t) => {
    const { database } = await openTestStore(t);
    const rev = "1-größer als 😀" as RevId;
    const path = { start: 1, hashes: ["größer als 😀"] };
    const id = parseDocId("日本語");
    await database.write(
      [{ id, origin: { kind: "replicated", path }, deleted: false, body: Buffer.from('{"a":1}'), attachments: [] }],
      "trusted",
    );
    assert.deepEqual(bodyOf(database, "日本語", rev), { a: 1 });
    const next = await writeOne(database, edit("日本語", { on: rev }));
    assert.deepEqual(bodyOf(database, "日本語", rev), { a: 1 });
    assert.deepEqual(await changesSince(database), [[2, "日本語", next]]);
  });

  it("is asked for by _revs_diff only when it is missing", async (t) => {
    const { database } = await openTestStore(t);
    await writeOne(database, replicated("a", "1-a 2-b"));
    const id = parseDocId("a");
    assert.equal(database.missing(id, ["2-b", "1-a"] as RevId[]), undefined);
    assert.deepEqual(database.missing(id, ["3-c"] as RevId[]), { missing: ["3-c"], possibleAncestors: ["2-b"] });
    assert.deepEqual(database.missing(parseDocId("b"), ["1-a"] as RevId[]), {
      missing: ["1-a"],
      possibleAncestors: [],
    });
  });
});

describe("the revision limit", () => {
  it("forgets older revisions and removes their bodies", async (t) => {
    const store = await openTestStore(t);
    const { database } = store;
    await database.setRevsLimit(3);
    const revs: RevId[] = [];
    for (let n = 1; n <= 8; n++) {
      // Small ones stand beside the tree at first, large ones never do.
      const body = { n, text: n % 2 ? "x" : "x".repeat(6000) };
      revs.push(await writeOne(database, edit("a", { on: revs.at(-1), body })));
    }
    const kept = revs.slice(-3);
    assert.deepEqual(linesIn(database, "a"), [kept.join(" ")]);
    for (const rev of kept) assert.equal((bodyOf(database, "a", rev) as { n: number }).n, Number.parseInt(rev, 10));
    assert.deepEqual(database.log.committed.counters, await recount(database));
    const { bodies } = database.keys;
    const left = kept.map((rev) => database.keys.body(parseDocId("a"), rev));
    await store.close();
    const onDisk = await keysOnDisk(store.dataDir, bodies);
    assert.deepEqual(
      onDisk.filter((key) => !left.includes(key)),
      [],
    );
  });

  it("makes older history that is offered again no change", async (t) => {
    const { database } = await openTestStore(t);
    await database.setRevsLimit(2);
    await writeOne(database, replicated("a", "1-a 2-b 3-c 4-d"));
    assert.deepEqual(linesIn(database, "a"), ["3-c? 4-d"]);
    const seq = database.updateSeq;
    await writeOne(database, replicated("a", "1-a 2-b 3-c 4-d"));
    assert.equal(database.updateSeq, seq);
  });

  it("lets a forgotten revision come back as a branch of its own: nobody can tell that it is none", async (t) => {
    const { database } = await openTestStore(t);
    await database.setRevsLimit(2);
    await writeOne(database, replicated("a", "1-a 2-b 3-c 4-d"));
    await writeOne(database, replicated("a", "1-a 2-b", { body: { forgotten: true } }));
    assert.deepEqual(linesIn(database, "a"), ["1-a? 2-b", "3-c? 4-d"]);
    assert.deepEqual(database.log.committed.counters, await recount(database));
  });

  it("makes a longer history than it keeps no change, of a line that was cut before", async (t) => {
    const { database } = await openTestStore(t);
    await writeOne(database, replicated("a", "1-a 2-b 3-c 4-d"));
    await database.setRevsLimit(2);
    await writeOne(database, replicated("a", "3-c 4-d 5-e"));
    assert.deepEqual(linesIn(database, "a"), ["4-d 5-e"]);
    const seq = database.updateSeq;
    await writeOne(database, replicated("a", "1-a 2-b 3-c 4-d 5-e"));
    assert.equal(database.updateSeq, seq);
  });

  it("takes effect on the next write after it was lowered", async (t) => {
    const { database } = await openTestStore(t);
    await writeOne(database, replicated("a", "1-a 2-b 3-c 4-d"));
    await database.setRevsLimit(1);
    assert.equal(database.revsLimit(), 1);
    assert.deepEqual(linesIn(database, "a"), ["1-a? 2-b? 3-c? 4-d"]);
    const rev = await writeOne(database, edit("a", { on: "4-d" }));
    assert.deepEqual(linesIn(database, "a"), [rev]);
  });
});
