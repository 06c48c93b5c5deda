import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { CouchError } from "../../../protocol/errors.js";
import { parseReplication } from "../../../server/replicator/replication.js";
import type { Job, JobEnd, JobOutcome } from "../../../server/replicator/scheduler/job.js";
import { Scheduler, type SchedulerSettings } from "../../../server/replicator/scheduler/scheduler.js";
import { waitFor } from "../../helpers/wait-for.js";

/** A job that runs until the test, or the scheduler, ends it. */
class TestJob implements Job {
  readonly facts: Job["facts"];
  runs = 0;
  running = false;
  end: JobEnd | undefined;
  #settle: { resolve(outcome: JobOutcome): void; reject(error: Error): void } | undefined;

  constructor(name: string, database = "_replicator", continuous = true) {
    this.facts = {
      id: { base: name, full: name },
      replication: parseReplication({ source: "a", target: "b", continuous }),
      sourceUrl: "a",
      targetUrl: "b",
      user: null,
      document: { database, id: name },
      startTime: 0,
    };
  }

  run(signal: AbortSignal): Promise<JobOutcome> {
    this.runs++;
    this.running = true;
    return new Promise<JobOutcome>((resolve, reject) => {
      this.#settle = { resolve, reject };
      signal.addEventListener("abort", () => reject(signal.reason));
    }).finally(() => {
      this.running = false;
    });
  }

  settle(outcome: JobOutcome | Error): void {
    if (outcome instanceof Error) this.#settle?.reject(outcome);
    else this.#settle?.resolve(outcome);
  }

  progress(): undefined {}
  ended(end: JobEnd): void {
    this.end = end;
  }
  close(): void {}
}

function scheduler(t: TestContext, settings: Partial<SchedulerSettings> = {}): Scheduler {
  const made = new Scheduler({ settings: () => ({ maxJobs: 2, interval: 20, maxChurn: 2, ...settings }) });
  t.after(() => made.stop());
  return made;
}

const names = (jobs: readonly TestJob[]): string[] =>
  jobs.filter(({ running }) => running).map(({ facts }) => facts.id.full);

describe("the scheduler", () => {
  test("runs as many as there is room for, and the next when one is over", async (t) => {
    const it = scheduler(t);
    const jobs = ["a", "b", "c"].map((name) => new TestJob(name, "_replicator", false));
    for (const job of jobs) it.add(job);
    assert.deepEqual(names(jobs), ["a", "b"]);
    assert.equal(it.get("c")?.state, "pending");
    jobs[0]?.settle({ kind: "completed", result: { ok: true } });
    await waitFor("the third", () => jobs[2]?.running);
    assert.deepEqual(jobs[0]?.end, { kind: "completed", result: { ok: true } });
    assert.equal(it.get("a"), undefined);
  });

  test("one that waits for its source takes no room, and wakes", async (t) => {
    const it = scheduler(t, { maxJobs: 1 });
    const [a, b] = [new TestJob("a"), new TestJob("b")];
    it.add(a);
    it.add(b);
    a.settle({ kind: "waiting" });
    await waitFor("the second", () => b.running);
    assert.equal(it.get("a")?.state, "waiting");
    it.wake("a");
    assert.equal(it.get("a")?.state, "pending");
    b.settle({ kind: "waiting" });
    await waitFor("the first again", () => a.runs === 2);
    // A change while it runs: whether it was seen cannot be known.
    it.wake("a");
    a.settle({ kind: "waiting" });
    await waitFor("once more", () => a.runs === 3);
  });

  test("fair shares: a database with one job need not wait for another's thousand", async (t) => {
    const it = scheduler(t, { maxJobs: 4, interval: 100_000 });
    const many = Array.from({ length: 20 }, (_, n) => new TestJob(`many-${n}`, "many", false));
    for (const job of many) it.add(job);
    const few = new TestJob("few", "few", false);
    it.add(few);
    assert.equal(few.running, false);
    many[0]?.settle({ kind: "completed", result: {} });
    await waitFor("its turn", () => few.running);
  });

  test("churn: those that ran longest make room, so that all have their turn", async (t) => {
    const it = scheduler(t, { maxJobs: 2, maxChurn: 1 });
    const jobs = ["a", "b", "c", "d"].map((name) => new TestJob(name));
    for (const job of jobs) it.add(job);
    it.start();
    await waitFor("everybody's turn", () => jobs.every(({ runs }) => runs > 1));
    assert.ok(names(jobs).length <= 2);
    assert.ok(it.get("a")?.history.some(({ type }) => type === "stopped"));
  });

  test("one-shot jobs are not interrupted by others", async (t) => {
    const it = scheduler(t, { maxJobs: 1 });
    const [once, live] = [new TestJob("once", "_replicator", false), new TestJob("live")];
    it.add(once);
    it.add(live);
    it.start();
    // Several intervals.
    const other = scheduler(t, { maxJobs: 1 });
    const [first, second] = [new TestJob("first"), new TestJob("second")];
    other.add(first);
    other.add(second);
    other.start();
    await waitFor("three turns elsewhere", () => first.runs + second.runs > 4);
    assert.deepEqual([once.runs, live.runs], [1, 0]);
  });

  test("a failure is remembered and tried again, later each time", async (t) => {
    const it = scheduler(t);
    const job = new TestJob("a");
    it.add(job);
    for (let failures = 1; failures <= 3; failures++) {
      await waitFor(`run ${failures}`, () => job.running);
      job.settle(new CouchError("db_not_found", "could not open x"));
      await waitFor("the failure", () => it.get("a")?.failures === failures);
      assert.equal(it.get("a")?.state, "crashing");
      assert.equal(it.get("a")?.lastError, "could not open x");
    }
    await waitFor("another try", () => job.running);
    job.settle({ kind: "waiting" });
    await waitFor("its recovery", () => it.get("a")?.failures === 0);
    assert.equal(it.get("a")?.lastError, undefined);
  });

  test("one that somebody waits for fails at once, and for good", async (t) => {
    const it = scheduler(t);
    const job = new TestJob("a", "_replicator", false);
    it.add(job, { once: true });
    job.settle(new Error("broken"));
    await waitFor("its end", () => job.end);
    assert.equal(job.end?.kind, "failed");
    assert.equal(it.get("a"), undefined);
  });

  test("removing one that runs ends it first", async (t) => {
    const it = scheduler(t);
    const job = new TestJob("a");
    it.add(job);
    assert.equal(await it.remove("a"), true);
    assert.deepEqual([job.running, job.end?.kind], [false, "cancelled"]);
    assert.equal(await it.remove("a"), false);
    const next = new TestJob("b");
    it.add(next);
    assert.equal(next.running, true, "its place is free again");
  });
});
