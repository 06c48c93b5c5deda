import assert from "node:assert/strict";
import { test } from "node:test";
import { parseUserName } from "../../protocol/ids.js";
import type { Principal } from "../../server/gateway/principals.js";
import { type LockOut, Throttle } from "../../server/gateway/throttle.js";
import { Clock, refused } from "../helpers/gateway-world.js";

const usual: LockOut = { mode: "enforce", threshold: 3, maxLifetime: 60_000, maxObjects: 100 };
const bob = (salt: string): Principal => ({ name: parseUserName("bob"), roles: [], password: undefined, salt });
const principal = bob("s1");

function make(lockOut: Partial<LockOut> = {}) {
  const clock = new Clock();
  const told: unknown[] = [];
  const options = {
    lockOut: { ...usual, ...lockOut },
    now: clock.now,
    onLockedOut: (pair: unknown) => told.push(pair),
  };
  const throttle = new Throttle(options);
  const fail = (address: string, times: number, name = "bob"): void => {
    for (let count = 0; count < times; count++) throttle.attempt({ name, address }, principal);
  };
  const isRefused = (address: string, as = principal): boolean => {
    try {
      throttle.check({ name: "bob", address }, as);
      return false;
    } catch (error) {
      assert.ok(refused("forbidden")(error));
      return true;
    }
  };
  return { throttle, clock, told, fail, isRefused };
}

test("the lock-out enforces, warns, or is off", () => {
  const enforcing = make();
  enforcing.fail("a", 2);
  assert.equal(enforcing.isRefused("a"), false);
  enforcing.fail("a", 1);
  assert.equal(enforcing.isRefused("a"), true);
  assert.deepEqual(enforcing.told, [{ name: "bob", address: "a" }]);
  const warning = make({ mode: "warn" });
  warning.fail("a", 3);
  assert.equal(warning.isRefused("a"), false);
  assert.equal(warning.told.length, 1);
  const off = make({ mode: "off" });
  off.fail("a", 9);
  off.throttle.lockOut = usual;
  assert.equal(off.isRefused("a"), false);
});

test("all addresses of an IPv6 network are one guesser", () => {
  const { fail, isRefused } = make();
  for (const last of ["1", "2", "3"]) fail(`2001:db8:1:2::${last}`, 1);
  assert.equal(isRefused("2001:db8:1:2:ffff::9"), true);
  assert.equal(isRefused("2001:db8:1:3::1"), false);
});

test("a new password begins anew", () => {
  const { fail, isRefused } = make();
  fail("a", 3);
  assert.equal(isRefused("a"), true);
  assert.equal(isRefused("a", bob("s2")), false);
});

test("settings take effect at once; the table is bounded", () => {
  const { throttle, clock, fail, isRefused } = make();
  fail("a", 3);
  throttle.lockOut = { ...usual, threshold: 4 };
  assert.equal(isRefused("a"), false);
  throttle.lockOut = { ...usual, maxObjects: 2 };
  assert.equal(isRefused("a"), true, "kept in the smaller table");
  fail("a", 1, "x");
  fail("a", 1, "y");
  assert.equal(isRefused("a"), false, "the one that failed least lately went");
  fail("b", 3);
  clock.advance(30);
  assert.equal(isRefused("b"), true);
  throttle.lockOut = { ...usual, maxObjects: 2, maxLifetime: 30_000 };
  assert.equal(isRefused("b"), false);
});
