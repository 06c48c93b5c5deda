import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { addressRules, isSubnet } from "../../../server/replicator/remote/address-rules.js";

const privates = [
  "127.0.0.1",
  "127.255.255.254",
  "0.0.0.0",
  "10.0.0.1",
  "100.64.0.1",
  "100.100.100.200",
  "168.63.129.16",
  "169.254.169.254",
  "172.16.0.1",
  "172.31.255.255",
  "192.168.1.1",
  "198.18.0.1",
  "224.0.0.1",
  "255.255.255.255",
  "::",
  "::1",
  "[::1]",
  "0:0:0:0:0:0:0:1",
  "::ffff:127.0.0.1",
  "::ffff:7f00:1",
  "::ffff:a9fe:a9fe",
  "::127.0.0.1",
  "64:ff9b::7f00:1",
  "2002:7f00:1::",
  "2001:0:4136:e378:8000:63bf:3fff:fdd2",
  "fc00::1",
  "fd00:ec2::254",
  "fe80::1",
  "fe80::1%eth0",
  "ff02::1",
];
const publics = ["1.1.1.1", "93.184.216.34", "172.32.0.1", "192.169.0.1", "2606:4700:4700::1111", "::ffff:1.1.1.1"];

describe("addresses that replications may connect to", () => {
  for (const address of privates) {
    test(`${address} is refused`, () => assert.equal(addressRules([]).allows(address), false));
  }
  for (const address of publics) {
    test(`${address} is allowed`, () => assert.equal(addressRules([]).allows(address), true));
  }

  test("what is no address is refused", () => {
    for (const text of ["", "localhost", "127.1", "0x7f.1", "2130706433", "1.1.1.1.example.org"]) {
      assert.equal(addressRules([]).allows(text), false, text);
    }
  });

  test("exceptions are just those", () => {
    const { allows } = addressRules(["10.1.0.0/16", "::1", "192.168.7.7"]);
    for (const address of ["10.1.2.3", "::1", "192.168.7.7", "1.1.1.1"]) assert.equal(allows(address), true, address);
    for (const address of ["10.2.0.1", "127.0.0.1", "192.168.7.8"]) assert.equal(allows(address), false, address);
    assert.equal(addressRules(["127.0.0.0/8"]).allows("::ffff:127.0.0.1"), true, "the same address in another dress");
    assert.equal(addressRules(["*"]).allows("169.254.169.254"), true);
  });

  test("subnets are told from other texts", () => {
    for (const text of ["10.0.0.0/8", "10.0.0.1", "::1", "fd00::/8"]) assert.equal(isSubnet(text), true, text);
    for (const text of ["", "localhost", "10.0.0.0/33", "10.0.0.0/x", "10.0.0.0/8/8", "fd00::/129"]) {
      assert.equal(isSubnet(text), false, text);
    }
  });
});
