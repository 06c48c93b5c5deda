import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Hold, TakenDigests } from "../../../server/documents/attachments/taken-digests.js";
import { collectGarbage } from "../../helpers/collect-garbage.js";

describe("taken digests", () => {
  it("are spared by every sweep until they are released, and by the sweep under way then", () => {
    const taken = new TakenDigests();
    const hold = taken.hold("md5-a");
    for (let sweep = 1; sweep <= 3; sweep++) {
      taken.beginSweep();
      assert.ok(taken.isSpared("md5-a"), `sweep ${sweep}`);
      taken.endSweep();
    }
    taken.beginSweep();
    taken.release(hold);
    assert.ok(taken.isSpared("md5-a"), "the document that names it may be behind the sweep");
    taken.endSweep();
    taken.beginSweep();
    assert.ok(!taken.isSpared("md5-a"));
  });

  it("are spared when they come while a sweep is under way, even when they are released at once", () => {
    const taken = new TakenDigests();
    taken.beginSweep();
    assert.ok(!taken.isSpared("md5-a"));
    taken.release(taken.hold("md5-a"));
    assert.ok(taken.isSpared("md5-a"));
  });

  it("are held once for each who holds them", () => {
    const taken = new TakenDigests();
    const [one, other] = [taken.hold("md5-a"), taken.hold("md5-a")];
    taken.release(one);
    taken.release(one);
    taken.beginSweep();
    assert.ok(taken.isSpared("md5-a"));
    taken.release(other);
  });

  it("are let go by who forgets them", async () => {
    const taken = new TakenDigests();
    let forgotten: Hold | undefined = taken.hold("md5-forgotten");
    const kept = taken.hold("md5-kept");
    assert.ok(forgotten);
    forgotten = undefined;
    await collectGarbage();
    taken.beginSweep();
    assert.ok(!taken.isSpared("md5-forgotten"));
    assert.ok(taken.isSpared(kept.digest));
  });
});
