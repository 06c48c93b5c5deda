import assert from "node:assert/strict";
import { test } from "node:test";
import { type DatabaseName, type DocId, parseUserName } from "../../protocol/ids.js";
import type { JsonDocument } from "../../server/backend/backend.js";
import { Accounts, accountOf } from "../../server/gateway/accounts.js";
import { Clock, changeUser, putUser, refused, users } from "../helpers/gateway-world.js";
import { MemoryBackend } from "../helpers/memory-backend.js";

async function started(backend = new MemoryBackend()): Promise<{ backend: MemoryBackend; accounts: Accounts }> {
  await backend.createDatabase(users);
  const accounts = new Accounts(backend, new Clock().now);
  accounts.start();
  return { backend, accounts };
}

test("an account comes from memory until its document changes", async () => {
  const { backend, accounts } = await started();
  await putUser(backend, "ann", { roles: ["red"] });
  const first = await accounts.find("ann");
  assert.equal(accounts.find("ann"), first);
  await changeUser(backend, "ann", { roles: ["blue"] });
  assert.deepEqual((await accounts.find("ann"))?.roles, ["blue"]);
  await changeUser(backend, "ann", { _deleted: true });
  assert.equal(await accounts.find("ann"), undefined);
  accounts.close();
  assert.equal(backend.listenerCount, 0);
});

/** Answers reads of documents only when told to, with what the document was when it was asked for. */
class SlowBackend extends MemoryBackend {
  readonly waiting: (() => void)[] = [];
  override async getDocument<T extends JsonDocument>(database: DatabaseName, id: DocId): Promise<T | undefined> {
    const document = await super.getDocument<T>(database, id);
    await new Promise<void>((resolve) => this.waiting.push(resolve));
    return document;
  }
}

test("a reading that a change overtakes is not remembered", async () => {
  const backend = new SlowBackend();
  const { accounts } = await started(backend);
  const name = await putUser(backend, "ann", { roles: ["red"] });
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  const before = accounts.find(name);
  const joined = accounts.find(name);
  await turn();
  assert.equal(backend.waiting.length, 1, "two requests at once are one reading");
  await backend.putDocument(users, {
    ...(await readNow(backend)),
    roles: ["blue"],
  });
  backend.waiting.splice(0).forEach((go) => {
    go();
  });
  assert.deepEqual([(await before)?.roles, (await joined)?.roles], [["red"], ["red"]]);

  const after = accounts.find(name);
  assert.ok(after instanceof Promise, "what was read before the change is not in memory");
  await turn();
  backend.waiting.splice(0).forEach((go) => {
    go();
  });
  assert.deepEqual((await after)?.roles, ["blue"]);
});

async function readNow(backend: SlowBackend): Promise<JsonDocument> {
  const [document] = await backend.listDocuments(users, {});
  assert.ok(document);
  return document;
}

test("roles of the system, wrong shapes and other documents make nobody anything", () => {
  const base = { _id: "org.couchdb.user:eve", name: "eve", type: "user", roles: [] };
  assert.deepEqual(accountOf({ ...base, roles: ["_admin", "red", 7, "_x"] })?.roles, ["red"]);
  assert.deepEqual(accountOf({ ...base, roles: "_admin", databases: [{ name: 1 }, null] }), {
    name: "eve",
    roles: [],
    password: undefined,
    databases: [],
  });
  assert.equal(accountOf({ ...base, type: "admin" }), undefined);
  assert.equal(accountOf({ ...base, name: "admin" }), undefined);
  assert.equal(accountOf({ ...base, _id: "org.couchdb.user:_x", name: "_x" }), undefined);
});

test("a taken name is a conflict, and what cannot be a name is nobody's", async () => {
  const { accounts } = await started();
  const name = parseUserName("ann");
  await accounts.create({ name, databases: [] });
  await assert.rejects(accounts.create({ name, databases: [] }), refused("conflict"));
  for (const text of ["", "_x", "a:b", "x".repeat(200), "\u0000", "__proto__"]) {
    assert.equal(await accounts.find(text), undefined, text);
  }
});

test("a change of the databases survives a change of the password in between", async () => {
  const { backend, accounts } = await started();
  const name = await putUser(backend, "ann", {});
  let rounds = 0;
  const entry = { name: "userdb-616e6e" as DatabaseName, template: "user", state: "wanted" as const };
  // The change is only made known to the backend between reading and writing, in the first round.
  const original = backend.putDocument.bind(backend);
  backend.putDocument = async (database, document) => {
    if (rounds++ === 0) {
      const [stored] = await backend.listDocuments(users, {});
      await original(database, { ...stored, color: "blue" } as never);
    }
    return original(database, document);
  };
  await accounts.changeDatabases(name, (databases) => [...databases, entry]);
  const [stored] = await backend.listDocuments(users, {});
  assert.equal(rounds, 2);
  assert.equal(stored?.color, "blue");
  assert.deepEqual(stored?.databases, [entry]);
});
