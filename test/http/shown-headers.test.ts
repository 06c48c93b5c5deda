import assert from "node:assert/strict";
import test from "node:test";
import { shownHeaders } from "../../server/http/shown-headers.js";

test("names are spelled as CouchDB does, values of one name are together", () => {
  const raw = ["x-mine", "a", "ACCEPT", "b", "accept", "c", "x-Forwarded-for", "d"];
  assert.deepEqual(shownHeaders(raw), { "X-Mine": "a", Accept: "b, c", "X-Forwarded-For": "d" });
});

test("what proves something is not shown, by whatever name it goes", () => {
  const secrets =
    "Authorization Proxy-Authorization Cookie Cookie2 X-Auth-CouchDB-Token X-Auth-CouchDB-UserName X-Auth-Token X-Api-Key Api_Key Apikey " +
    "X-CSRF-Token X-XSRF-Token X-Access-Token X-Session-Id X-Forwarded-Authorization X-Amzn-Oidc-Data X-Amz-Security-Token " +
    "Cf-Access-Jwt-Assertion X-Goog-Iap-Jwt-Assertion X-Ms-Client-Principal X-Client-Cert X-Hub-Signature Password";
  for (const name of secrets.split(" ")) {
    for (const spelled of [name, name.toLowerCase(), name.toUpperCase()])
      assert.deepEqual(shownHeaders([spelled, "s"]), {}, spelled);
  }
});

test("what proves nothing is", () => {
  const harmless =
    "Accept Accept-Language Content-Type Host User-Agent X-Mine X-Author Referer If-None-Match X-Foo X-Key-Name";
  for (const name of harmless.split(" ")) assert.deepEqual(shownHeaders([name, "v"]), { [name]: "v" });
});
