import assert from "node:assert/strict";
import test from "node:test";
import { withBody, withHeaders } from "../../../server/http/rewrites/rewritten-headers.js";

const sent = {
  headers: { host: "a", cookie: "b", "content-type": "c", "content-length": "3", "x-mine": "d" },
  rawHeaders: ["Host", "a", "Cookie", "b", "CONTENT-TYPE", "c", "Content-Length", "3", "X-Mine", "d"],
};

test("a function's headers stand in place of those of the same name, however it spells them", () => {
  const { headers, rawHeaders } = withHeaders(sent, { "Content-type": "e", "X-NEW": "f" });
  assert.deepEqual(headers, { ...sent.headers, "content-type": "e", "x-new": "f" });
  assert.deepEqual(rawHeaders, [
    "Host",
    "a",
    "Cookie",
    "b",
    "Content-Length",
    "3",
    "X-Mine",
    "d",
    "Content-type",
    "e",
    "X-NEW",
    "f",
  ]);
});

test("who asks, from where, and how long the body is stays as it was sent", () => {
  const names =
    "Authorization cookie Host ORIGIN Connection Content-Length Content-Encoding Transfer-Encoding Proxy-Authorization X-Auth-CouchDB-UserName x-auth-couchdb-roles X-Http-Method-Override __proto__";
  for (const name of names.split(" ")) assert.deepEqual(withHeaders(sent, { [name]: "forged" }), sent, name);
});

test("a body that is here is as long as it is, and not compressed any more", () => {
  const compressed = {
    headers: { ...sent.headers, "content-encoding": "gzip", "transfer-encoding": "chunked" },
    rawHeaders: [...sent.rawHeaders, "content-encoding", "gzip", "Transfer-Encoding", "chunked"],
  };
  const { headers, rawHeaders } = withBody(compressed, Buffer.from("ü"));
  assert.deepEqual(headers, { ...sent.headers, "content-length": "2" });
  assert.deepEqual(rawHeaders, ["Host", "a", "Cookie", "b", "CONTENT-TYPE", "c", "X-Mine", "d", "Content-Length", "2"]);
  assert.equal(withBody(compressed, undefined).headers["content-length"], undefined);
});
