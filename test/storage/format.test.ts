import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "node:test";
import { Databases } from "../../server/documents/databases.js";
import { formatVersion, openFormat } from "../../server/storage/format.js";
import { formatKey } from "../../server/storage/keys.js";
import { openLevelStore, StoreUnavailable } from "../../server/storage/level-store.js";
import { HeldStore } from "../helpers/held-store.js";
import { nothingToValidate, temporaryDirectory } from "../helpers/temp-store.js";

function storeOf(format: string | undefined): HeldStore {
  const store = new HeldStore();
  store.holding = false;
  if (format !== undefined) store.contents.set(formatKey, Buffer.from(format));
  return store;
}

describe("the format of a data directory", () => {
  it("is marked in a new one", async () => {
    const store = storeOf(undefined);
    await openFormat(store);
    assert.equal(store.get(formatKey)?.toString(), String(formatVersion));
  });

  it("is left alone where it is the present one", async () => {
    const store = storeOf(String(formatVersion));
    store.holding = true;
    // A write would wait for ever.
    await openFormat(store);
    assert.equal(store.held.length, 0);
  });

  for (const format of [String(formatVersion + 1), "99", "new"]) {
    it(`is refused when it is ${format}, and nothing is written`, async () => {
      const store = storeOf(format);
      await assert.rejects(openFormat(store), (error) => {
        assert.ok(error instanceof StoreUnavailable);
        assert.match(error.message, new RegExp(`has format ${format}, .*Upgrade Settee`));
        return true;
      });
      assert.equal(store.get(formatKey)?.toString(), format);
    });
  }

  it("keeps a whole directory closed, and lets go of it", async (t) => {
    const dataDir = temporaryDirectory(t);
    const open = (): Promise<Databases> => Databases.open({ dataDir, validate: nothingToValidate });
    await (await open()).close();
    const mark = async (format: string): Promise<void> => {
      const store = await openLevelStore(join(dataDir, "store"));
      const batch = store.batch();
      batch.put(formatKey, Buffer.from(format));
      await batch.commit();
      await store.close();
    };
    await mark(String(formatVersion + 1));
    await assert.rejects(open(), StoreUnavailable);
    // Not in use: the refusal closed it.
    await mark(String(formatVersion));
    await (await open()).close();
  });
});
