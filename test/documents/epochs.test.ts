import assert from "node:assert/strict";
import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { CouchError } from "../../protocol/errors.js";
import { formatSeq, resolveSeq } from "../../server/documents/epochs.js";
import { changesSince, edit, writeOne } from "../helpers/incoming-revisions.js";
import { openTestStore } from "../helpers/temp-store.js";

describe("resolveSeq", () => {
  //   aaa: 1 … 50      bbb: 51 … 80      ccc: 81 … (now 90)
  const starts = [
    { epoch: "aaa", first: 1 },
    { epoch: "bbb", first: 51 },
    { epoch: "ccc", first: 81 },
  ];
  const cases = [
    { seen: "0-ccc", from: 0 },
    { seen: "85-ccc", from: 85 },
    { seen: "90-ccc", from: 90 },
    // Beyond what this epoch has given out: the directory lost something without being told.
    { seen: "95-ccc", from: 90 },
    { seen: "50-aaa", from: 50 },
    { seen: "49-aaa", from: 49 },
    // Given out before the backup was restored, and given out again since.
    { seen: "51-aaa", from: 50 },
    { seen: "5000-aaa", from: 50 },
    { seen: "80-bbb", from: 80 },
    { seen: "81-bbb", from: 80 },
    // Of an epoch that this database never had, nothing is shared.
    { seen: "85-zzz", from: 0 },
    { seen: "7", from: 7 },
  ];
  for (const { seen, from } of cases) {
    it(`sends a client that has seen ${seen} to ${from}`, () => assert.equal(resolveSeq(seen, starts, 90), from));
  }

  for (const text of ["", "now", "-1", "5-", "5-AAA", "1e3", "5-a-b", "12345678901234567", " 5"]) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      assert.throws(
        () => resolveSeq(text, starts, 90),
        (error) => error instanceof CouchError && error.error === "bad_request",
      );
    });
  }

  it("understands what formatSeq gives out", () => {
    assert.equal(formatSeq(85, "ccc"), "85-ccc");
    assert.equal(resolveSeq(formatSeq(85, "ccc"), starts, 90), 85);
  });
});

describe("a data directory that was restored from a backup", () => {
  it("sends a client ahead of it back to the last point that both share", async (t) => {
    const store = await openTestStore(t);
    for (const id of ["a", "b", "c"]) await writeOne(store.database, edit(id));
    const atBackup = store.database.seqText(store.database.updateSeq);
    await store.close();
    const backup = join(store.dataDir, "backup");
    cpSync(join(store.dataDir, "store"), backup, { recursive: true });
    await store.reopen();
    for (const id of ["lost 1", "lost 2"]) await writeOne(store.database, edit(id));
    const ahead = store.database.seqText(store.database.updateSeq);
    await store.close();
    rmSync(join(store.dataDir, "store"), { recursive: true });
    cpSync(backup, join(store.dataDir, "store"), { recursive: true });

    await store.reopen({ newEpoch: true });
    const { database } = store;
    assert.equal(database.updateSeq, 3);
    // Before anything is written in the new epoch, sequences are given out and understood all the same.
    const renewed = database.seqText(3);
    assert.notEqual(renewed, atBackup);
    assert.equal(database.resolveSeq(renewed), 3);
    assert.equal(database.resolveSeq(atBackup), 3);
    assert.equal(database.resolveSeq(ahead), 3);

    for (const id of ["new 1", "new 2", "new 3"]) await writeOne(database, edit(id));
    // The client saw 5 of the old life. Without epochs it would ask for what follows 5, and never see "new 1" and "new 2".
    assert.equal(database.resolveSeq(ahead), 3);
    assert.deepEqual(
      (await changesSince(database, database.resolveSeq(ahead))).map(([, id]) => id),
      ["new 1", "new 2", "new 3"],
    );
    assert.equal(database.resolveSeq(atBackup), 3);
    assert.equal(database.resolveSeq(database.seqText(5)), 5);
    assert.equal(database.resolveSeq("5-0123456789"), 0, "an epoch that nobody here knows");

    const now = database.seqText(6);
    await store.reopen();
    assert.equal(store.database.seqText(6), now, "an ordinary restart begins no epoch");
    assert.equal(store.database.resolveSeq(ahead), 3);
    assert.equal(store.database.resolveSeq(now), 6);
  });

  it("begins an epoch in a database only with its next write there, also after several restores", async (t) => {
    const store = await openTestStore(t);
    await writeOne(store.database, edit("a"));
    const first = store.database.seqText(1);
    await store.reopen({ newEpoch: true });
    const second = store.database.seqText(1);
    await store.reopen({ newEpoch: true });
    assert.equal(store.database.resolveSeq(first), 1);
    await writeOne(store.database, edit("b"));
    assert.equal(store.database.resolveSeq(first.replace("1-", "2-")), 1);
    // Nothing was written in the second epoch: it left no mark, and whoever comes from it reads everything again.
    assert.equal(store.database.resolveSeq(second), 0);
  });
});
