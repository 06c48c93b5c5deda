import { deepEqual, equal, rejects } from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { SharedSync } from "../../../server/documents/attachments/shared-sync.js";
import { temporaryDirectory } from "../../helpers/temp-store.js";

test("callers who come while a sync is under way share the next one", async (t) => {
  const shared = new SharedSync(temporaryDirectory(t));
  const ended: string[] = [];
  const first = shared.sync().then(() => ended.push("first"));
  const second = shared.sync();
  equal(shared.sync(), second, "one sync for both");
  await Promise.all([first, second.then(() => ended.push("second"))]);
  deepEqual(ended, ["first", "second"]);
  const later = shared.sync();
  equal(later === second, false, "what is over covers no new names");
  await later;
});

test("a sync that fails fails for its callers and not for those of the next", async (t) => {
  const directory = temporaryDirectory(t);
  const missing = new SharedSync(join(directory, "missing"));
  const first = missing.sync();
  const second = missing.sync();
  await rejects(first, { code: "ENOENT" });
  await rejects(second, { code: "ENOENT" });
  await rejects(missing.sync(), { code: "ENOENT" });
});
