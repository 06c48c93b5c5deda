import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseUserName } from "../../protocol/ids.js";
import { userDatabaseName, userOfDatabase } from "../../server/gateway/database-names.js";
import { isInternalDatabase, isSystemDatabase } from "../../server/gateway/system-databases.js";
import { refused } from "../helpers/gateway-world.js";

test("per-user databases are named as couch_peruser names them", () => {
  assert.equal(userDatabaseName(parseUserName("ada")), "userdb-616461");
  assert.equal(userDatabaseName(parseUserName("zoë")), "userdb-7a6fc3ab");
  assert.throws(() => userDatabaseName(parseUserName("é".repeat(58))), refused("bad_request"));
});

test("every name comes back, and nothing else does", () => {
  const names = fc.string({ unit: "binary", minLength: 1, maxLength: 25 }).filter((text) => {
    try {
      parseUserName(text);
      return true;
    } catch {
      return false;
    }
  });
  fc.assert(
    fc.property(names, (text) => {
      const name = parseUserName(text);
      assert.equal(userOfDatabase(userDatabaseName(name)), name);
    }),
  );
  for (const bad of ["userdb-", "userdb-6", "userdb-61646", "userdb-ff", "userdb-zz", "userdb-3a", "notes", "_users"]) {
    assert.equal(userOfDatabase(bad), undefined, bad);
  }
});

test("the server's own databases are told from others", () => {
  for (const name of ["_users", "_replicator", "_global_changes", "settee_config", "settee_sessions", "a/_users"]) {
    assert.equal(isSystemDatabase(name), true, name);
  }
  for (const name of ["users", "userdb-616461", "settee", "a/users"]) assert.equal(isSystemDatabase(name), false, name);
  assert.equal(isInternalDatabase("settee_sessions"), true);
  assert.equal(isInternalDatabase("_users"), false);
});
