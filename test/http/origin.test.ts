import { equal } from "node:assert/strict";
import { test } from "node:test";
import { completeConfig } from "../../server/config.js";
import { originOf } from "../../server/http/origin.js";

const config = completeConfig({});
const named = completeConfig({ forwarded: { host: "X-Host", proto: "X-Proto", ssl: "X-Ssl" } });
const host = "couch:5984";

for (const [what, headers, origin, of = config, overTls = false] of [
  ["nothing else", { host }, "http://couch:5984"],
  ["TLS of its own", { host }, "https://couch:5984", config, true],
  ["a proxy's host", { host, "x-forwarded-host": "sync.example" }, "http://sync.example"],
  ["a proxy's host and port", { host, "x-forwarded-host": "[::1]:8443" }, "http://[::1]:8443"],
  ["a proxy's scheme", { host, "x-forwarded-proto": "https" }, "https://couch:5984"],
  ["a proxy's TLS", { host, "x-forwarded-ssl": "on" }, "https://couch:5984"],
  ["another scheme", { host, "x-forwarded-proto": "gopher" }, "http://couch:5984"],
  ["a host that is none", { host, "x-forwarded-host": "a/b?c" }, "http://couch:5984"],
  ["two hosts", { host, "x-forwarded-host": "a.example, b.example" }, "http://couch:5984"],
  ["headers of other names", { host, "x-host": "sync.example", "x-proto": "https" }, "https://sync.example", named],
  ["headers that others name so", { host, "x-forwarded-host": "sync.example" }, "http://couch:5984", named],
] as const) {
  test(`the origin by ${what}`, () => equal(originOf(headers, { host: "couch:5984", overTls }, of), origin));
}
