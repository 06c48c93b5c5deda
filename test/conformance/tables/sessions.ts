/** `/_session`, and who a request says it comes from. */
import { clearer, eachBodyRefused, eachRefused, onlySettee, refused } from "./rows.js";
import type { Row, Table } from "./table.js";

const form = { "content-type": "application/x-www-form-urlencoded" };
/** Another one each time: an account is locked after five failures. */
const stranger = '"name":"{{db}}"';

const rows: readonly Row[] = [
  ...eachBodyRefused("bad_request", "POST /_session", {
    "cut short": `{${stranger}`,
    "no name": '{"password":"x"}',
    "a name in the prototype": '{"__proto__":{"name":"admin"},"password":"x"}',
    "a name in other case": '{"Name":"admin","password":"x"}',
    nothing: "",
    "half a pair": '{"name":"\\ud800","password":"x"}',
    "a byte order mark": "\ufeff{}",
  }),
  ...eachBodyRefused(
    "bad_request",
    "POST /_session",
    { "a form without a name": "password=x", "a form of nothing": "", "a form of garbage": "&&==&%" },
    { headers: form },
  ),
  ...["text/plain", "multipart/form-data; boundary=x", "application/jsonp", "text/json"].map((type) =>
    refused("bad_content_type", `as ${type}`, "POST /_session", { headers: { "content-type": type }, text: "{}" }),
  ),
  refused("bad_content_type", "without a type", "POST /_session", { headers: { "content-type": "" }, text: "{}" }),
  refused("unauthorized", "a name that nobody has", "POST /_session", { text: `{${stranger},"password":"x"}` }),
  refused("unauthorized", "a password in the prototype", "POST /_session", {
    text: `{${stranger},"__proto__":{"password":"x"}}`,
  }),
  refused("unauthorized", "the constructor as a name", "POST /_session", {
    text: '{"name":"constructor","password":"x"}',
  }),
  refused("unauthorized", "the prototype as a name", "POST /_session", { text: '{"name":"__proto__","password":"x"}' }),
  ...["http://example.org/", "example", "", "\\\\example.org"].map((next) =>
    refused("bad_request", `next is ${next || "nothing"}`, `POST /_session?next=${encodeURIComponent(next)}`, {
      text: `{${stranger},"password":"x"}`,
    }),
  ),
  ...eachRefused("method_not_allowed", { PUT: "PUT /_session", PATCH: "PATCH /_session" }),
  refused("unauthorized", "a password is asked for", "GET /_session?basic=true", { as: "anonymous" }),
  refused("unauthorized", "deeper", "GET /_session/x", { as: "anonymous" }),
  ...(
    [
      ["Basic of no base64", "Basic %%%", 400, "bad_request"],
      ["Basic of the prototype", `Basic ${Buffer.from("__proto__:x").toString("base64")}`, 401, "unauthorized"],
      ["Basic without a colon", `Basic ${Buffer.from("admin").toString("base64")}`, 401, "unauthorized"],
      ["Basic of nothing", "Basic", 401, "unauthorized"],
      ["a scheme that nobody knows", "Negotiate abc", 401, "unauthorized"],
      ["a token that is none", "Bearer abc.def.ghi", 401, "unauthorized"],
      ["words", "admin admin admin", 401, "unauthorized"],
    ] as const
  ).map(([name, authorization, status, error]) =>
    refused(error, name, "GET /{{db}}", { headers: { authorization }, status }),
  ),
  refused("unauthorized", "Basic of an unknown name", "GET /{{db}}", { as: "{{db}}:x" }),
  ...["garbage", "YWRtaW4", "%00", "a:b:c:d", '"'].map((cookie) =>
    refused("bad_request", `the cookie ${cookie}`, "GET /{{db}}", {
      as: "anonymous",
      headers: { cookie: `AuthSession=${cookie}` },
    }),
  ),
  refused("unauthorized", "another cookie", "GET /{{db}}", { as: "anonymous", headers: { cookie: "Session=admin" } }),
  refused("unauthorized", "proxy headers that nobody signed", "GET /{{db}}", {
    as: "anonymous",
    headers: { "x-auth-couchdb-username": "admin", "x-auth-couchdb-roles": "_admin", "x-auth-couchdb-token": "x" },
  }),
  ...onlySettee(clearer, [
    ...eachBodyRefused("bad_request", "POST /_session", {
      "a list": "[]",
      "a name that is a number": '{"name":1,"password":"x"}',
      "a name twice, the last of them a list": `{${stranger},"name":["admin"],"password":"x"}`,
    }),
    refused("bad_request", "next is another host without a scheme", "POST /_session?next=%2F%2Fexample.org", {
      text: `{${stranger},"password":"x"}`,
    }),
    refused("bad_request", "next has a line end", "POST /_session?next=%2Fa%0D%0AX-A:1", {
      text: `{${stranger},"password":"x"}`,
    }),
  ]),
  ...onlySettee("what a log-in may have is small here: it is read of strangers", [
    refused("too_large", "a log-in of 100 kilobytes", "POST /_session", {
      text: '{"name":"{{n*100000}}","password":"x"}',
    }),
  ]),
];

export const sessions: Table = { family: "sessions", rows };
