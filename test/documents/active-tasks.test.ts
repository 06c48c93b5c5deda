import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ActiveTasks, beginCompaction } from "../../server/documents/active-tasks.js";

describe("active tasks", () => {
  it("are listed while they run, in the order of their beginnings", () => {
    const tasks = new ActiveTasks();
    const first = tasks.begin({ type: "indexer", database: "a", progress: 0 });
    const second = tasks.begin({ type: "replication" });
    first.update({ progress: 40, changes_done: 2 });
    const [indexer, replication] = tasks.list();
    assert.equal(indexer?.progress, 40);
    assert.equal(indexer?.["changes_done"], 2);
    assert.equal(indexer?.database, "a");
    assert.ok(indexer.started_on <= indexer.updated_on);
    assert.ok(Math.abs(indexer.started_on - Date.now() / 1000) < 60, "seconds");
    assert.match(String(indexer.pid), /^<0\.\d+\.0>$/);
    assert.notEqual(indexer.pid, replication?.pid);
    first.end();
    first.update({ progress: 50 });
    assert.deepEqual(
      tasks.list().map(({ type }) => type),
      ["replication"],
    );
    second.end();
    assert.deepEqual(tasks.list(), []);
  });

  it("tell how far a compaction is, also when documents come while it runs", () => {
    const tasks = new ActiveTasks();
    const compaction = beginCompaction(tasks, "a", { documents: 150, deletedDocuments: 50 });
    const progress = () => tasks.list()[0]?.progress;
    assert.equal(progress(), 0);
    compaction.progress(50);
    assert.equal(progress(), 25);
    compaction.progress(210);
    assert.equal(progress(), 100);
    compaction.end();
    assert.deepEqual(tasks.list(), []);
  });
});
