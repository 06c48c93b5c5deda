import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { GroupCommit } from "../../server/storage/group-commit.js";
import { HeldStore } from "../helpers/held-store.js";

function open(): { readonly store: HeldStore; readonly commit: GroupCommit } {
  const store = new HeldStore();
  return { store, commit: new GroupCommit(store) };
}

function put(commit: GroupCommit, key: string, value: string): Promise<void> {
  return commit.write((batch) => batch.put(key, Buffer.from(value)));
}

const text = (value: Buffer | undefined): string | undefined => value?.toString();

/** Whether a promise is settled already, seen without waiting for it. */
async function isPending(promise: Promise<unknown>): Promise<boolean> {
  const waiting = Symbol("waiting");
  const settled = promise.then(
    () => "settled",
    () => "settled",
  );
  // A full turn of the event loop: whatever could settle by itself has had its chance.
  const turn = new Promise((resolve) => setImmediate(() => resolve(waiting)));
  return (await Promise.race([settled, turn])) === waiting;
}

describe("group commit", () => {
  it("acknowledges a write when its batch is on disk, not before", async () => {
    const { store, commit } = open();
    const written = put(commit, "a", "1");
    const held = await store.nextCommit();
    assert.ok(await isPending(written));
    held.succeed();
    await written;
    assert.equal(text(store.get("a")), "1");
  });

  it("puts writes of one turn into one batch, and those that arrive during a flush into the next", async () => {
    const { store, commit } = open();
    const first = [put(commit, "a", "1"), put(commit, "b", "2")];
    const one = await store.nextCommit();
    assert.deepEqual(one.keys, ["a", "b"]);
    const second = [put(commit, "c", "3"), put(commit, "d", "4"), put(commit, "a", "5")];
    assert.ok(await isPending(Promise.race(second)));
    assert.equal(store.held.length, 1, "one flush at a time");
    one.succeed();
    await Promise.all(first);
    assert.ok(await isPending(Promise.race(second)), "the second batch waits for a flush of its own");
    const two = await store.nextCommit();
    assert.deepEqual(two.keys, ["c", "d", "a"]);
    two.succeed();
    await Promise.all(second);
    assert.equal(text(store.get("a")), "5");
    assert.equal(commit.statistics().commits, 2);
    assert.equal(commit.statistics().operations, 5);
  });

  it("shows the next writer what is pending, and readers of the store only what is on disk", async () => {
    const { store, commit } = open();
    store.contents.set("a", Buffer.from("0"));
    store.contents.set("gone", Buffer.from("0"));
    const first = commit.write((batch) => {
      batch.put("a", Buffer.from("1"));
      batch.delete("gone");
      assert.equal(text(commit.read("a")), "1", "within the same write");
    });
    const one = await store.nextCommit();
    const second = put(commit, "b", "2");
    const third = put(commit, "gone", "back");
    assert.equal(text(commit.read("a")), "1", "being flushed");
    assert.equal(text(commit.read("b")), "2", "being filled");
    assert.equal(text(commit.read("gone")), "back", "being filled counts for more than being flushed");
    assert.equal(text(store.get("a")), "0");
    assert.equal(store.get("b"), undefined);
    assert.equal(text(store.get("gone")), "0");
    one.succeed();
    await first;
    assert.equal(text(store.get("a")), "1");
    assert.equal(store.get("gone"), undefined);
    assert.equal(text(commit.read("a")), "1");
    (await store.nextCommit()).succeed();
    await Promise.all([second, third]);
    assert.equal(text(commit.read("gone")), "back");
    assert.equal(commit.read("never"), undefined);
  });

  it("hides from the next writer what a pending deletion removes", async () => {
    const { store, commit } = open();
    store.contents.set("a", Buffer.from("0"));
    const written = commit.write((batch) => batch.delete("a"));
    assert.equal(commit.read("a"), undefined);
    assert.equal(text(store.get("a")), "0");
    (await store.nextCommit()).succeed();
    await written;
  });

  it("tells listeners in the order of the writes, before their promises resolve", async () => {
    const { store, commit } = open();
    const heard: string[] = [];
    const writes = ["a", "b", "c"].map((key) =>
      commit
        .write((batch) => batch.put(key, Buffer.from(key)), { committed: () => heard.push(`${key} committed`) })
        .then(() => heard.push(`${key} resolved`)),
    );
    const held = await store.nextCommit();
    assert.deepEqual(heard, []);
    held.succeed();
    await Promise.all(writes);
    assert.deepEqual(heard, ["a committed", "b committed", "c committed", "a resolved", "b resolved", "c resolved"]);
  });

  it("fails what was built upon a batch that failed, tells everybody, and carries on", async () => {
    const { store, commit } = open();
    store.contents.set("a", Buffer.from("0"));
    const heard: string[] = [];
    const write = (key: string, value: string): Promise<void> =>
      commit.write((batch) => batch.put(key, Buffer.from(value)), {
        committed: () => heard.push(`${key} committed`),
        aborted: () => heard.push(`${key} aborted`),
      });
    const first = write("a", "1");
    const held = await store.nextCommit();
    const second = write("b", "after a=1");
    const outcomes = Promise.allSettled([first, second]);
    const broken = new Error("disk full");
    held.fail(broken);
    assert.deepEqual(
      (await outcomes).map((outcome) => outcome.status === "rejected" && outcome.reason),
      [broken, broken],
    );
    assert.deepEqual(heard, ["a aborted", "b aborted"]);
    assert.equal(store.discarded, 1, "the batch that was being filled is given up");
    assert.equal(text(commit.read("a")), "0", "what is lost is no longer seen");
    assert.equal(commit.read("b"), undefined);
    assert.equal(commit.statistics().commits, 0);

    const third = write("c", "3");
    (await store.nextCommit()).succeed();
    await third;
    assert.equal(text(store.get("c")), "3");
    assert.deepEqual(heard.slice(2), ["c committed"]);
  });

  it("does not end the process when nobody waits for a write that fails", async () => {
    const { store, commit } = open();
    void put(commit, "a", "1");
    (await store.nextCommit()).fail(new Error("disk full"));
    await commit.idle();
    assert.equal(commit.read("a"), undefined);
  });

  it("needs no flush for a write without operations", async () => {
    const { store, commit } = open();
    await commit.write(() => undefined);
    assert.equal(commit.statistics().commits, 0);
    assert.equal(store.held.length, 0);
  });

  it("acknowledges a write that finds everything done only with the write that did it", async () => {
    const { store, commit } = open();
    const first = put(commit, "a", "1");
    const again = (): Promise<void> =>
      commit.write((batch) => {
        if (!commit.read("a")) batch.put("a", Buffer.from("1"));
      });
    const whileFilling = again();
    const held = await store.nextCommit();
    const whileFlushing = again();
    assert.ok(await isPending(Promise.race([whileFilling, whileFlushing])), "the disk has nothing yet");
    held.succeed();
    await Promise.all([first, whileFilling, whileFlushing]);
    assert.equal(commit.statistics().commits, 1);
  });

  it("is idle when nothing is pending", async () => {
    const { store, commit } = open();
    await commit.idle();
    void put(commit, "a", "1");
    const one = await store.nextCommit();
    void put(commit, "b", "2");
    const idle = commit.idle();
    one.succeed();
    const two = await store.nextCommit();
    assert.ok(await isPending(idle), "the second batch is still on its way");
    two.succeed();
    await idle;
    assert.equal(text(store.get("b")), "2");
  });
});
