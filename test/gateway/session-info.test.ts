import assert from "node:assert/strict";
import { test } from "node:test";
import { CouchError } from "../../protocol/errors.js";
import { parseLogIn } from "../../server/gateway/session-info.js";

test("a log-in names its user by `name`, or by `username` as Cloudant's clients do", () => {
  assert.deepEqual(parseLogIn({ name: "ada", password: "pw" }), { name: "ada", password: "pw" });
  assert.deepEqual(parseLogIn({ username: "ada", password: "pw" }), { name: "ada", password: "pw" });
  assert.equal(parseLogIn({ name: "ada", username: "bob", password: "pw" }).name, "ada");
});

test("a missing password is a wrong one, a missing name is told", () => {
  assert.deepEqual(parseLogIn({ name: "ada" }), { name: "ada", password: "" });
  for (const body of [{}, null, [], "ada", { name: 5 }, { name: "" }, { username: null }]) {
    assert.throws(
      () => parseLogIn(body),
      (error: unknown) => error instanceof CouchError && error.reason === "request body must contain a username",
    );
  }
});
