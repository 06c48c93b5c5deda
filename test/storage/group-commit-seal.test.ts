import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { GroupCommit } from "../../server/storage/group-commit.js";
import { HeldStore } from "../helpers/held-store.js";

describe("the seal of a batch", () => {
  it("is put on once for all writes that share the batch, and sees them", async () => {
    const store = new HeldStore();
    const commit = new GroupCommit(store);
    const seen: (string | undefined)[][] = [];
    commit.sealWith((batch) => {
      seen.push(["a", "b", "c"].map((key) => commit.read(key)?.toString()));
      batch.put(`seal-${seen.length}`, Buffer.alloc(0));
      return undefined;
    });
    const first = ["a", "b"].map((key) => commit.write((batch) => batch.put(key, Buffer.from(key))));
    const one = await store.nextCommit();
    assert.deepEqual(one.keys, ["a", "b", "seal-1"]);
    const second = commit.write((batch) => batch.put("c", Buffer.from("c")));
    assert.equal(seen.length, 1, "a batch that is still being filled is not sealed");
    one.succeed();
    await Promise.all(first);
    const two = await store.nextCommit();
    assert.deepEqual(two.keys, ["c", "seal-2"]);
    two.succeed();
    await second;
    assert.deepEqual(seen, [
      ["a", "b", undefined],
      ["a", "b", "c"],
    ]);
  });

  it("hears of its batch after those who wrote into it", async () => {
    const store = new HeldStore();
    const commit = new GroupCommit(store);
    const heard: string[] = [];
    commit.sealWith(() => ({
      committed: () => heard.push("seal is on disk"),
      aborted: () => heard.push("seal is lost"),
    }));
    const listener = { committed: () => heard.push("write is on disk"), aborted: () => heard.push("write is lost") };
    const written = commit.write((batch) => batch.put("a", Buffer.alloc(0)), listener);
    (await store.nextCommit()).succeed();
    await written;
    const lost = commit.write((batch) => batch.put("a", Buffer.alloc(0)), listener);
    (await store.nextCommit()).fail(new Error("the disk is full"));
    await assert.rejects(lost);
    assert.deepEqual(heard, ["write is on disk", "seal is on disk", "write is lost", "seal is lost"]);
  });

  it("is waited for by whoever waits for what is being flushed, and nothing more", async () => {
    const store = new HeldStore();
    const commit = new GroupCommit(store);
    await commit.flushed();
    const first = commit.write((batch) => batch.put("a", Buffer.alloc(0)));
    const one = await store.nextCommit();
    const flushed = commit.flushed();
    const second = commit.write((batch) => batch.put("b", Buffer.alloc(0)));
    assert.equal(commit.statistics().waiting, 2);
    one.fail(new Error("the disk is full"));
    await flushed;
    await assert.rejects(first);
    await assert.rejects(second);
    assert.equal(commit.statistics().waiting, 0);
  });
});
