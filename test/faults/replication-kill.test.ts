import { ok } from "node:assert/strict";
import { test } from "node:test";
import { replicationSoak } from "./replication-soak.js";

test("killing either end of a replication loses nothing and makes nothing twice", { timeout: 240_000 }, async (t) => {
  const seed = Date.now() % 2 ** 31;
  t.diagnostic(`seed ${seed}`);
  const { documents, killsUnderWay } = await replicationSoak({ kills: 4, seed });
  ok(killsUnderWay > 0, "a kill came while there was work");
  t.diagnostic(`${documents} documents, ${killsUnderWay} of 4 kills came while they were on their way`);
});
