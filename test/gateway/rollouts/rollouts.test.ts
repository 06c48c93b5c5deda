import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { CouchError } from "../../../protocol/errors.js";
import { type DatabaseName, parseDatabaseName, parseDocId } from "../../../protocol/ids.js";
import type { JsonDocument } from "../../../server/backend/backend.js";
import { userDatabaseName } from "../../../server/gateway/database-names.js";
import { Gateway } from "../../../server/gateway/gateway.js";
import type { Template } from "../../../server/gateway/provisioning.js";
import { RolloutWalker } from "../../../server/jobs/rollout-walker.js";
import { admin, Clock, refused } from "../../helpers/gateway-world.js";
import { failingFrom, InjectedFault, MemoryBackend } from "../../helpers/memory-backend.js";

const rules = (text: string): JsonDocument => ({ _id: "_design/rules", language: "javascript", text });
const extra: JsonDocument = { _id: "_design/extra", language: "javascript" };
const version = (n: number, ...designDocuments: JsonDocument[]): Template => ({
  name: "user",
  version: String(n).repeat(32),
  designDocuments,
});
const first = version(1, rules("one"), extra);
const second = version(2, rules("two"));

interface Start {
  readonly backend?: MemoryBackend;
  readonly failing?: Parameters<typeof failingFrom>;
}

/** A gateway, its walker, and the folder of templates, which a test may change. */
async function start(t: TestContext, { backend = new MemoryBackend(), failing }: Start = {}, given = first) {
  const folder = { template: given };
  const clock = new Clock();
  const gateway = new Gateway({
    backend: failing ? failingFrom(...failing) : backend,
    loadTemplates: async () => new Map([[folder.template.name, folder.template]]),
    options: { secret: "a secret for tests only", admin, passwordIterations: 2, now: clock.now },
  });
  await gateway.start();
  t.after(() => gateway.close());
  const errors: unknown[] = [];
  const { rollouts, registry } = gateway;
  const walker = new RolloutWalker({ rollouts, registry, onError: (error) => void errors.push(error) });
  return { backend, gateway, rollouts, walker, folder, clock, errors };
}

type World = Awaited<ReturnType<typeof start>>;

const names = ["ada", "bob", "cyd"] as const;
const databases = names.map((name) => userDatabaseName(name as never));

async function signUpAll({ gateway }: World): Promise<void> {
  for (const name of names) await gateway.signUp({ name, password: "long enough" });
}

async function designDocuments(backend: MemoryBackend, database: DatabaseName): Promise<readonly unknown[]> {
  const documents = await backend.listDocuments(database, { from: "_design/", to: "_design0" });
  return documents.map(({ _id, text }) => [_id, text]);
}

const asFirst = [
  ["_design/extra", undefined],
  ["_design/rules", "one"],
];
const asSecond = [["_design/rules", "two"]];

async function assertAll({ backend }: World, wanted: readonly unknown[]): Promise<void> {
  for (const database of databases) assert.deepEqual(await designDocuments(backend, database), wanted, database);
}

describe("rollouts", () => {
  it("begin when the folder has changed, and bring every database to the new version", async (t) => {
    const world = await start(t);
    await signUpAll(world);
    await assertAll(world, asFirst);
    assert.deepEqual(await world.rollouts.take(), []);

    world.folder.template = second;
    const [begun] = await world.rollouts.take();
    assert.deepEqual([begun?.state, begun?.version, begun?.previous], ["running", second.version, first.version]);
    await world.walker.run();
    await assertAll(world, asSecond);
    const { rollouts, templates } = await world.rollouts.list();
    assert.deepEqual(templates, [{ template: "user", version: second.version, design_documents: ["_design/rules"] }]);
    const [done] = rollouts;
    assert.deepEqual([done?.state, done?.seen, done?.changed, done?.failed], ["done", 3, 3, 0]);
    for (const name of databases) assert.equal((await world.gateway.registry.find(name))?.version, second.version);
  });

  it("come first to databases in use, and count each once", async (t) => {
    const world = await start(t);
    await signUpAll(world);
    world.rollouts.used(databases[2] as DatabaseName);
    world.folder.template = second;
    await world.rollouts.take();
    const order: string[] = [];
    const { deploy } = world.rollouts;
    world.rollouts.deploy = async (name, rollout) => {
      order.push(name);
      return await deploy.call(world.rollouts, name, rollout);
    };
    await world.walker.run();
    assert.equal(order[0], databases[2]);
    const { rollouts } = await world.rollouts.list();
    assert.deepEqual([rollouts[0]?.seen, rollouts[0]?.changed], [3, 3]);
  });

  it("give new databases the new version, and leave what somebody wrote under a name that goes", async (t) => {
    const world = await start(t);
    await signUpAll(world);
    const [ada] = databases as [DatabaseName];
    const own = await world.backend.getDocument(ada, parseDocId("_design/extra"));
    await world.backend.putDocument(ada, { ...(own as JsonDocument), mine: true });
    world.folder.template = second;
    await world.rollouts.take();
    await world.gateway.signUp({ name: "dan", password: "long enough" });
    assert.deepEqual(await designDocuments(world.backend, userDatabaseName("dan" as never)), asSecond);
    await world.walker.run();
    assert.deepEqual(await designDocuments(world.backend, ada), [["_design/extra", undefined], ...asSecond]);
  });

  it("can be paused, resumed and rolled back; a restart does not bring back what was rolled back", async (t) => {
    const world = await start(t);
    await signUpAll(world);
    world.folder.template = second;
    const [begun] = await world.rollouts.take();
    const id = begun?.id as string;
    await world.rollouts.pause(id);
    await world.walker.run();
    await assertAll(world, asFirst);
    await world.rollouts.resume(id);
    await world.walker.run();
    await assertAll(world, asSecond);

    world.clock.advance(1);
    await world.rollouts.rollBack(id);
    await world.walker.run();
    await assertAll(world, asFirst);
    await assert.rejects(world.rollouts.resume(id), refused("conflict"));
    await assert.rejects(world.rollouts.pause("nothing"), refused("not_found"));

    const again = await start(t, { backend: world.backend }, second);
    await again.walker.run();
    await assertAll(again, asFirst);
    assert.equal(again.rollouts.versions.get("user")?.version, first.version);
  });

  it("tell of a database that fails, go on with the others, and try it again when resumed", async (t) => {
    const world = await start(t);
    await signUpAll(world);
    const { prepareDesignDocument } = world.backend;
    world.backend.prepareDesignDocument = async (name) => {
      if (name === databases[1]) throw new CouchError("compilation_error", "it does not compile");
      return await prepareDesignDocument.call(world.backend, name);
    };
    world.folder.template = second;
    const [begun] = await world.rollouts.take();
    await world.walker.run();
    const failed = await world.rollouts.find(begun?.id as string);
    assert.deepEqual([failed.state, failed.seen, failed.changed, failed.failed], ["done", 3, 2, 1]);
    assert.deepEqual(failed.failures, [{ database: databases[1], reason: "it does not compile" }]);
    assert.deepEqual(await designDocuments(world.backend, databases[1] as DatabaseName), asFirst);

    world.backend.prepareDesignDocument = prepareDesignDocument;
    await world.rollouts.resume(failed.id);
    await world.walker.run();
    await assertAll(world, asSecond);
    const mended = await world.rollouts.find(failed.id);
    assert.deepEqual([mended.state, mended.changed, mended.failed], ["done", 1, 0]);
  });

  it("pass over a database that is gone", async (t) => {
    const world = await start(t);
    await signUpAll(world);
    await world.backend.deleteDatabase(databases[0] as DatabaseName);
    world.folder.template = second;
    const [begun] = await world.rollouts.take();
    await world.walker.run();
    const { state, seen, failed } = await world.rollouts.find(begun?.id as string);
    assert.deepEqual([state, seen, failed], ["done", 2, 0]);
  });

  for (const moment of ["before", "after"] as const) {
    it(`are finished by the next start after a crash ${moment} any step`, async (t) => {
      let crashes = 0;
      for (let n = 1; ; n++) {
        const backend = new MemoryBackend();
        const earlier = await start(t, { backend });
        await signUpAll(earlier);
        let isArmed = false;
        const dying = await start(t, { backend, failing: [backend, n, moment, () => isArmed] });
        dying.folder.template = second;
        isArmed = true;
        const outcome: unknown = await dying.rollouts
          .take()
          .then(() => dying.walker.run())
          .catch((error: unknown) => error);
        if (outcome === undefined && dying.errors.length === 0) break;
        for (const error of [outcome, ...dying.errors]) assert.ok(!error || error instanceof InjectedFault);
        crashes++;

        const restarted = await start(t, { backend }, second);
        await restarted.walker.run();
        assert.deepEqual(restarted.errors, []);
        await assertAll(restarted, asSecond);
      }
      assert.ok(crashes >= 25, `only ${crashes} steps were tried`);
    });
  }
});

describe("the versions of templates", () => {
  it("are told to other gateways over the same databases", async (t) => {
    const world = await start(t);
    const other = await start(t, { backend: world.backend });
    world.folder.template = second;
    await world.rollouts.take();
    // The announcement is read in the background.
    for (let i = 0; i < 20 && other.rollouts.versions.get("user")?.version !== second.version; i++) await null;
    assert.equal(other.rollouts.versions.get("user")?.version, second.version);
    assert.ok(await world.backend.databaseExists(parseDatabaseName("settee_rollouts")));
  });
});
