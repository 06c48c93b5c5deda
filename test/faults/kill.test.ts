import { ok, rejects } from "node:assert/strict";
import { test } from "node:test";
import { expressPouchDbCommand } from "../bench/peers/express-pouchdb.js";
import { ServerProcess } from "../helpers/server-process.js";
import { adminAuthorization, startSettee } from "../helpers/settee-process.js";
import { killSoak } from "./soak.js";

test("a server that is killed again and again keeps every promise", { timeout: 120_000 }, async (t) => {
  const seed = Date.now() % 2 ** 31;
  t.diagnostic(`seed ${seed}`);
  const server = await startSettee();
  t.after(() => server.close());
  const report = await killSoak({ server, authorization: adminAuthorization, kills: 10, seed });
  ok(report.killsInAttachments >= 5, `${report.killsInAttachments} kills hit an attachment on its way`);
  t.diagnostic(`${report.acknowledged} acknowledged revisions of ${report.documents} documents`);
});

test("the judge notices a server that forgets", async (t) => {
  const server = await ServerProcess.start(expressPouchDbCommand("memory"));
  t.after(() => server.close());
  await rejects(killSoak({ server, kills: 1, seed: 1 }));
});
