import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { openLevelStore, StoreUnavailable } from "../../server/storage/level-store.js";
import type { KeyRange, Store } from "../../server/storage/store.js";
import { repositoryRoot } from "../helpers/repository-root.js";
import { temporaryDirectory } from "../helpers/temp-store.js";

async function open(t: TestContext): Promise<Store> {
  const store = await openLevelStore(join(temporaryDirectory(t), "store"));
  t.after(() => store.close());
  return store;
}

async function fill(store: Store, keys: readonly string[]): Promise<void> {
  const batch = store.batch();
  for (const key of keys) batch.put(key, Buffer.from(`value of ${key}`));
  await batch.commit();
}

async function keysIn(store: Store, range: KeyRange): Promise<string[]> {
  const keys: string[] = [];
  for await (const entries of store.range(range)) for (const { key } of entries) keys.push(key);
  return keys;
}

const everything = { from: "\0", to: "\u{10ffff}" };

describe("the level store", () => {
  it("reads a snapshot as it was, whatever is written and removed since", async (t) => {
    const store = await open(t);
    await fill(store, ["a", "b"]);
    const snapshot = store.snapshot();
    const batch = store.batch();
    batch.put("a", Buffer.from("later"));
    batch.delete("b");
    batch.put("c", Buffer.from("later"));
    await batch.commit();
    assert.deepEqual(
      ["a", "b", "c"].map((key) => snapshot.get(key)?.toString()),
      ["value of a", "value of b", undefined],
    );
    await snapshot.close();
    assert.throws(() => snapshot.get("a"));
    assert.deepEqual(
      ["a", "b", "c"].map((key) => store.get(key)?.toString()),
      ["later", undefined, "later"],
    );
  });

  it("applies a batch as a whole, later operations on a key before earlier ones", async (t) => {
    const store = await open(t);
    await fill(store, ["old"]);
    const batch = store.batch();
    batch.put("a", Buffer.from("1"));
    batch.put("a", Buffer.from("2"));
    batch.put("b", Buffer.from("1"));
    batch.delete("b");
    batch.delete("old");
    assert.equal(store.get("a"), undefined, "nothing before the commit");
    assert.equal(store.get("old")?.toString(), "value of old");
    await batch.commit();
    assert.equal(store.get("a")?.toString(), "2");
    assert.deepEqual(await keysIn(store, everything), ["a"]);
  });

  it("forgets a batch that was discarded", async (t) => {
    const store = await open(t);
    const batch = store.batch();
    batch.put("a", Buffer.from("1"));
    await batch.discard();
    assert.deepEqual(await keysIn(store, everything), []);
  });

  it("keeps any bytes and any key, and finds them again after it was closed", async (t) => {
    const location = join(temporaryDirectory(t), "store");
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    const before = await openLevelStore(location);
    const batch = before.batch();
    batch.put("key \0 é 😀", bytes);
    batch.put("empty", Buffer.alloc(0));
    await batch.commit();
    await before.close();
    const after = await openLevelStore(location);
    t.after(() => after.close());
    assert.deepEqual(after.get("key \0 é 😀"), bytes);
    assert.equal(after.get("empty")?.length, 0);
    assert.equal(after.get("other"), undefined);
  });

  it("reads a range in the order of UTF-8 bytes, from inclusive, to exclusive", async (t) => {
    const store = await open(t);
    // UTF-16 code units would have 😀 before \uffff.
    const ordered = ["a", "a\0", "aa", "b", "é", "\uffff", "😀"];
    await fill(store, [...ordered].reverse());
    assert.deepEqual(await keysIn(store, everything), ordered);
    assert.deepEqual(await keysIn(store, { from: "a\0", to: "b" }), ["a\0", "aa"]);
    assert.deepEqual(await keysIn(store, { from: "a\0", to: "b", reverse: true }), ["aa", "a\0"]);
    assert.deepEqual(await keysIn(store, { from: "b", to: "b" }), []);
  });

  it("reads ranges in steps that together miss nothing", async (t) => {
    const store = await open(t);
    const keys = Array.from({ length: 25 }, (_, i) => `k${String(i).padStart(2, "0")}`);
    await fill(store, keys);
    for (const reverse of [false, true]) {
      const steps: number[] = [];
      const seen: string[] = [];
      for await (const entries of store.range({ from: "k", to: "l", step: 10, reverse })) {
        steps.push(entries.length);
        for (const { key, value } of entries) {
          seen.push(key);
          assert.equal(value.toString(), `value of ${key}`);
        }
      }
      assert.deepEqual(seen, reverse ? [...keys].reverse() : keys);
      assert.ok(
        steps.every((length) => length <= 10 && length > 0),
        `steps of ${steps}`,
      );
    }
  });

  it("reads a range from one snapshot, whatever is written meanwhile", async (t) => {
    const store = await open(t);
    await fill(store, ["a", "b", "c"]);
    const seen: string[] = [];
    for await (const [entry] of store.range({ ...everything, step: 1 })) {
      assert.ok(entry);
      seen.push(`${entry.key}=${entry.value}`);
      if (entry.key !== "a") continue;
      const batch = store.batch();
      batch.put("b", Buffer.from("changed"));
      batch.delete("c");
      batch.put("d", Buffer.from("new"));
      await batch.commit();
    }
    assert.deepEqual(seen, ["a=value of a", "b=value of b", "c=value of c"]);
    assert.deepEqual(await keysIn(store, everything), ["a", "b", "d"]);
  });

  it("finds the first and the last entry of a range", async (t) => {
    const store = await open(t);
    await fill(store, ["a", "b", "c"]);
    assert.equal((await store.first(everything))?.key, "a");
    assert.equal((await store.first({ ...everything, reverse: true }))?.key, "c");
    assert.equal((await store.first({ from: "b", to: "c" }))?.value.toString(), "value of b");
    assert.equal(await store.first({ from: "x", to: "y" }), undefined);
  });

  it("releases a range that is left early, and ends one that is open when it closes", async (t) => {
    const store = await openLevelStore(join(temporaryDirectory(t), "store"));
    await fill(store, ["a", "b", "c"]);
    for await (const [entry] of store.range({ ...everything, step: 1 })) if (entry?.key === "a") break;
    const left = store.range({ ...everything, step: 1 })[Symbol.asyncIterator]();
    await left.next();
    await store.close();
    await assert.rejects(async () => await left.next(), { code: /LEVEL_(ITERATOR|DATABASE)_NOT_OPEN/ });
    assert.throws(() => store.get("a"), { code: "LEVEL_DATABASE_NOT_OPEN" });
  });

  it("clears a range and nothing beside it", async (t) => {
    const store = await open(t);
    await fill(store, ["a", "b1", "b2", "c"]);
    await store.clear("b", "c");
    assert.deepEqual(await keysIn(store, everything), ["a", "c"]);
  });

  it("leaves the values out for those who only count", async (t) => {
    const store = await open(t);
    await fill(store, ["a"]);
    for await (const [entry] of store.range({ ...everything, values: false })) assert.equal(entry?.value, undefined);
  });

  it("refuses a directory that another process has open, in words for the operator", async (t) => {
    const location = join(temporaryDirectory(t), "store");
    const module = new URL("../../server/storage/level-store.js", import.meta.url).href;
    const script = `
      const { openLevelStore } = await import(${JSON.stringify(module)});
      await openLevelStore(${JSON.stringify(location)});
      console.log("open");
      process.stdin.resume();`;
    const other = spawn(process.execPath, ["--input-type=module", "--eval", script], {
      cwd: repositoryRoot,
      stdio: ["pipe", "pipe", "inherit"],
    });
    const ended = new Promise((resolve) => other.once("close", resolve));
    t.after(() => other.kill("SIGKILL"));
    await new Promise<void>((resolve, reject) => {
      other.stdout.once("data", () => resolve());
      other.once("close", () => reject(new Error("the other process ended before it had opened the store")));
    });
    await assert.rejects(openLevelStore(location), (error) => {
      assert.ok(error instanceof StoreUnavailable);
      assert.equal(error.message, `The data directory ${location} is in use by another process.`);
      return true;
    });
    other.kill("SIGKILL");
    await ended;
    // The lock dies with its holder, however it ended.
    await (await openLevelStore(location)).close();
  });

  it("says so when the directory cannot be a store", async (t) => {
    const location = join(temporaryDirectory(t), "store");
    const store = await openLevelStore(location);
    await store.close();
    writeFileSync(join(location, "CURRENT"), "no manifest");
    await assert.rejects(openLevelStore(location), (error) => {
      assert.ok(error instanceof StoreUnavailable);
      assert.match(error.message, /^The data directory .* cannot be opened: /);
      return true;
    });
  });
});
