import assert from "node:assert/strict";
import { test } from "node:test";
import { CouchError } from "../../protocol/errors.js";
import { type DatabaseName, parseDatabaseName } from "../../protocol/ids.js";
import { anonymous, type Identity, type SecurityObject } from "../../protocol/security.js";
import {
  Access,
  type DatabaseNeed,
  decide,
  isDatabaseAdmin,
  type Need,
  notADatabaseAdmin,
} from "../../server/gateway/access.js";
import { identity, refused } from "../helpers/gateway-world.js";

const serverAdmin = identity("root", ["_admin"]);
const closed = "You are not allowed to access this db.";
const guestsWords = "You are not authorized to access this db.";
const notServerAdmin = "You are not a server admin.";
const notDatabaseAdmin = "You are not a server or db admin.";

const security: SecurityObject = {
  admins: { names: ["adm"], roles: ["boss"] },
  members: { names: ["mem"], roles: ["crew"] },
};

/** The words and statuses of CouchDB, as recorded. */
const cases: readonly [who: string, Identity, Need, string][] = [
  ["member by name", identity("mem"), "read", "allowed"],
  ["member by name", identity("mem"), "write", "allowed"],
  ["member by role", identity("x", ["crew"]), "write", "allowed"],
  ["member", identity("mem"), "database-admin", `401 ${notDatabaseAdmin}`],
  ["member", identity("mem"), "server-admin", `401 ${notServerAdmin}`],
  ["database admin by name", identity("adm"), "read", "allowed"],
  ["database admin by role", identity("x", ["boss"]), "database-admin", "allowed"],
  ["database admin", identity("adm"), "server-admin", `401 ${notServerAdmin}`],
  ["stranger", identity("str", ["other"]), "read", `403 ${closed}`],
  ["stranger", identity("str"), "write", `403 ${closed}`],
  ["stranger", identity("str"), "database-admin", `403 ${closed}`],
  ["stranger", identity("str"), "server-admin", `401 ${notServerAdmin}`],
  ["guest", anonymous, "read", `401 ${guestsWords}`],
  ["guest", anonymous, "database-admin", `401 ${guestsWords}`],
  ["guest", anonymous, "server-admin", `401 ${notServerAdmin}`],
  ["guest", anonymous, "public", "allowed"],
  ["guest", anonymous, "user", "401 Authentication required."],
  ["stranger", identity("str"), "user", "allowed"],
  ["server admin", serverAdmin, "server-admin", "allowed"],
  ["server admin", serverAdmin, "write", "allowed"],
];

function answer(decision: "allowed" | CouchError): string {
  return decision === "allowed" ? decision : `${decision.status} ${decision.reason}`;
}

for (const [who, caller, need, expected] of cases) {
  test(`${who} asking for ${need}: ${expected}`, () => {
    assert.equal(answer(decide(caller, security, need)), expected);
  });
}

test("an empty list of members lets in administrators and nobody else", () => {
  const emptyOnes: SecurityObject[] = [
    {},
    { members: {} },
    { members: { names: [], roles: [] } },
    { admins: { names: ["adm"] }, members: { names: [], roles: [] } },
    { members: { names: "str" } as never },
    { members: { names: ["undefined", "null"] } },
    { members: null } as never,
    { readers: { names: [], roles: [] } },
  ];
  for (const each of emptyOnes) {
    for (const need of ["read", "write", "database-admin"] as const) {
      assert.equal(answer(decide(anonymous, each, need)), `401 ${guestsWords}`, JSON.stringify(each));
      assert.equal(answer(decide(identity("str"), each, need)), `403 ${closed}`, JSON.stringify(each));
    }
    assert.equal(decide(serverAdmin, each, "read"), "allowed");
  }
});

test("readers of old are members", () => {
  assert.equal(decide(identity("x"), { readers: { names: ["x"], roles: [] } }, "read"), "allowed");
});

test("who may write design documents, and in which words others may not", () => {
  assert.equal(isDatabaseAdmin(identity("adm"), security), true);
  assert.equal(isDatabaseAdmin(identity("mem"), security), false);
  assert.equal(answer(notADatabaseAdmin(identity("mem"))), "403 You are not a db or server admin.");
  assert.equal(answer(notADatabaseAdmin(anonymous)), "401 You are not a db or server admin.");
});

function accessTo(databases: Record<string, SecurityObject>): { access: Access<Database>; opened: string[] } {
  const opened: string[] = [];
  const access = new Access<Database>({
    async openDatabase(name) {
      opened.push(name);
      const found = databases[name];
      if (!found) throw new CouchError("not_found", "Database does not exist.");
      return { name, security: () => found };
    },
    async ownDatabase(caller) {
      if (caller.name === null) throw new CouchError("unauthorized");
      return parseDatabaseName("userdb-6d656d");
    },
  });
  return { access, opened };
}

interface Database {
  readonly name: DatabaseName;
  security(): SecurityObject;
}

test("the door opens to members and hands out the database they asked for", async () => {
  const { access } = accessTo({ shared: security, "userdb-6d656d": security });
  const member = identity("mem");
  const shared = await access.open(member, parseDatabaseName("shared"), "read");
  assert.equal(shared.database.name, "shared");
  assert.equal(shared.identity, member);
  assert.equal((await access.open(member, "_me", "write")).database.name, "userdb-6d656d");
  await assert.rejects(access.open(anonymous, "_me", "read"), refused("unauthorized"));
});

test("whether another's database exists does not show", async () => {
  const { access } = accessTo({ "userdb-616461": { members: { names: ["ada"] } } });
  const answers = async (caller: Identity, need: DatabaseNeed): Promise<string[]> =>
    Promise.all(
      ["userdb-616461", "userdb-626f62", "userdb-xyz"].map((name) =>
        access.open(caller, parseDatabaseName(name), need).then(
          () => "allowed",
          (error: CouchError) => answer(error),
        ),
      ),
    );
  for (const need of ["read", "write", "database-admin"] as const) {
    assert.deepEqual(new Set(await answers(identity("eve"), need)), new Set([`403 ${closed}`]));
    assert.deepEqual(new Set(await answers(anonymous, need)), new Set([`401 ${guestsWords}`]));
  }
  const missing = "404 Database does not exist.";
  assert.deepEqual(await answers(serverAdmin, "read"), ["allowed", missing, missing]);
  assert.deepEqual((await answers(identity("bob"), "read"))[1], missing);
  await assert.rejects(access.open(identity("eve"), parseDatabaseName("nope"), "read"), refused("not_found"));
});

test("a database is not looked at for those who lack the rank to ask", async () => {
  const { access, opened } = accessTo({ shared: security });
  await assert.rejects(
    access.open(identity("mem"), parseDatabaseName("shared"), "server-admin"),
    refused("unauthorized", notServerAdmin),
  );
  assert.deepEqual(opened, []);
});

test("the gateway's own databases are closed whatever their _security says", async () => {
  const { access } = accessTo({ settee_sessions: security, settee_config: security });
  for (const name of ["settee_sessions", "settee_config"]) {
    const internal = parseDatabaseName(name);
    await assert.rejects(access.open(identity("mem"), internal, "read"), refused("forbidden", closed));
    await assert.rejects(access.open(identity("adm"), internal, "database-admin"), refused("forbidden", closed));
    await assert.rejects(access.open(anonymous, internal, "read"), refused("unauthorized"));
    assert.equal((await access.open(serverAdmin, internal, "read")).database.name, name);
  }
});
