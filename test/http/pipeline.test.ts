import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { CouchError } from "../../protocol/errors.js";
import { type Handler, json } from "../../server/http/call.js";
import type { PathRoutes } from "../../server/http/route.js";
import { startFrame } from "../helpers/frame-world.js";
import type { HttpRequest } from "../helpers/http-client.js";
import { waitFor } from "../helpers/wait-for.js";

const tells: Handler = ({ method, params, identity, query }) =>
  json({ method, params: { ...params }, name: identity.name, query: [...query] });

const routes: readonly PathRoutes[] = [
  { path: "/", allow: "GET,HEAD", methods: { GET: { need: "public", handler: tells } } },
  {
    path: "/_many",
    allow: "PUT,GET",
    methods: {
      GET: { need: "public", handler: tells },
      PUT: { need: "public", handler: tells },
      POST: { need: "public", handler: tells },
    },
  },
  { path: "/_user", allow: "GET,HEAD", methods: { GET: { need: "user", handler: tells } } },
  { path: "/_admin", allow: "GET,HEAD", methods: { GET: { need: "server-admin", handler: tells } } },
  {
    path: "/_fails/:how",
    allow: "GET,HEAD",
    methods: {
      GET: {
        need: "public",
        handler: ({ params }) => {
          if (params["how"] === "bug") throw new TypeError("the secret is hunter2");
          if (params["how"] === "late") return Promise.reject(new Error("the secret is hunter2"));
          throw new CouchError("conflict", "It is taken.", {
            headers: { "X-Why": "test" },
            detail: { fields: { a: 1 } },
          });
        },
      },
    },
  },
  {
    path: "/:db",
    allow: "DELETE,GET,HEAD,POST",
    methods: {
      GET: {
        need: "read",
        handler: ({ database, identity }) => json({ database: database.name, name: identity.name }),
      },
      PUT: { need: "server-admin", handler: tells, creates: true },
      DELETE: { need: "database-admin", handler: ({ database }) => json({ deleted: database.name }) },
    },
  },
  { path: "/:db/:docid", allow: "GET,HEAD", methods: { GET: { need: "read", handler: tells } } },
  { path: "/:db/:docid/*", allow: "GET,HEAD", methods: { GET: { need: "read", handler: tells } } },
];
const databases = { notes: { admins: { names: ["boss"] }, members: { names: ["ada"] } } };

describe("the pipeline", () => {
  interface Scenario {
    readonly name: string;
    readonly send: readonly [method: string, path: string, options?: HttpRequest];
    readonly status: number;
    readonly body?: unknown;
    readonly headers?: Readonly<Record<string, string | RegExp | undefined>>;
  }
  const as = (authorization: string): HttpRequest => ({ authorization });
  const admins = { error: "unauthorized", reason: "You are not a server admin." };
  const scenarios: readonly Scenario[] = [
    {
      name: "answers in JSON that ends with a line feed",
      send: ["GET", "/"],
      status: 200,
      headers: {
        "content-type": "application/json",
        "cache-control": "must-revalidate",
        "x-content-type-options": "nosniff",
        connection: "keep-alive",
      },
    },
    {
      name: "gives a request a name",
      send: ["GET", "/"],
      status: 200,
      headers: { "x-couch-request-id": /^[0-9a-f]{10}$/ },
    },
    {
      name: "keeps the name that a client gives",
      send: ["GET", "/", { headers: { "X-Couch-Request-ID": "my-Request_7" } }],
      status: 200,
      headers: { "x-couch-request-id": "my-Request_7" },
    },
    {
      name: "takes no name that is too long",
      send: ["GET", "/", { headers: { "X-Couch-Request-ID": "x".repeat(37) } }],
      status: 200,
      headers: { "x-couch-request-id": /^[0-9a-f]{10}$/ },
    },
    {
      name: "takes no name with other characters",
      send: ["GET", "/_fails/conflict", { headers: { "X-Couch-Request-ID": "a b" } }],
      status: 409,
      headers: { "x-couch-request-id": /^[0-9a-f]{10}$/ },
    },
    {
      name: "refuses a method that the path does not have",
      send: ["PATCH", "/_many"],
      status: 405,
      body: { error: "method_not_allowed", reason: "Only PUT,GET allowed" },
      headers: { allow: "PUT,GET" },
    },
    {
      name: "refuses methods that hardly anybody knows",
      send: ["PROPFIND", "/"],
      status: 405,
      headers: { allow: "GET,HEAD" },
    },
    {
      name: "lets POST stand for PUT",
      send: ["POST", "/_many", { headers: { "X-HTTP-Method-Override": "PUT" } }],
      status: 200,
      body: { method: "PUT", params: {}, name: null, query: [] },
    },
    {
      name: "lets nothing else stand for PUT",
      send: ["GET", "/_many", { headers: { "X-HTTP-Method-Override": "PUT" } }],
      status: 200,
      body: { method: "GET", params: {}, name: null, query: [] },
    },
    {
      name: "lets POST stand for no unknown method",
      send: ["POST", "/_many", { headers: { "X-HTTP-Method-Override": "NOPE" } }],
      status: 200,
      body: { method: "POST", params: {}, name: null, query: [] },
    },
    {
      name: "decodes the query, in order",
      send: ["GET", "/?b=1&a=x+y&b=%C3%BC&c"],
      status: 200,
      body: {
        method: "GET",
        params: {},
        name: null,
        query: [
          ["b", "1"],
          ["a", "x y"],
          ["b", "ü"],
          ["c", ""],
        ],
      },
    },
    {
      name: "refuses a URL that is too long",
      send: ["GET", `/?a=${"y".repeat(9000)}`],
      status: 400,
      body: { error: "bad_request", reason: "A URL may have at most 8000 characters." },
    },
    {
      name: "refuses bad credentials wherever they are sent",
      send: ["GET", "/", as("wrong")],
      status: 401,
      body: { error: "unauthorized", reason: "Name or password is incorrect." },
    },
    { name: "lets nobody do what users may", send: ["GET", "/_user"], status: 401 },
    {
      name: "lets a user do it",
      send: ["GET", "/_user", as("ada")],
      status: 200,
      body: { method: "GET", params: {}, name: "ada", query: [] },
    },
    {
      name: "lets a user not do what administrators may",
      send: ["GET", "/_admin", as("ada")],
      status: 401,
      body: admins,
    },
    { name: "lets an administrator do it", send: ["GET", "/_admin", as("admin")], status: 200 },
    {
      name: "tells of a failure in the catalogue's words",
      send: ["GET", "/_fails/conflict"],
      status: 409,
      body: { error: "conflict", reason: "It is taken.", fields: { a: 1 } },
      headers: { "x-why": "test", "content-type": "application/json", "cache-control": "must-revalidate" },
    },
    {
      name: "tells nothing of a bug",
      send: ["GET", "/_fails/bug"],
      status: 500,
      body: { error: "internal_server_error", reason: "An internal error occurred." },
    },
    {
      name: "tells nothing of a late bug",
      send: ["GET", "/_fails/late"],
      status: 500,
      body: { error: "internal_server_error", reason: "An internal error occurred." },
    },
    {
      name: "opens the database of a member",
      send: ["GET", "/notes", as("ada")],
      status: 200,
      body: { database: "notes", name: "ada" },
    },
    { name: "refuses a stranger", send: ["GET", "/notes", as("eve")], status: 403 },
    {
      name: "refuses nobody with another status",
      send: ["GET", "/notes"],
      status: 401,
      body: { error: "unauthorized", reason: "You are not authorized to access this db." },
    },
    { name: "refuses a member what its administrators may", send: ["DELETE", "/notes", as("ada")], status: 401 },
    { name: "lets its administrator", send: ["DELETE", "/notes", as("boss")], status: 200, body: { deleted: "notes" } },
    {
      name: "says that a database is missing",
      send: ["GET", "/none", as("ada")],
      status: 404,
      body: { error: "not_found", reason: "Database does not exist." },
    },
    {
      name: "says so of a name that cannot be",
      send: ["GET", "/NONE", as("ada")],
      status: 404,
      body: { error: "not_found", reason: "Database does not exist." },
    },
    { name: "says nothing of the server's own", send: ["GET", "/_none"], status: 401, body: admins },
    {
      name: "does not open what is to be made",
      send: ["PUT", "/none", as("admin")],
      status: 200,
      body: { method: "PUT", params: { db: "none" }, name: "admin", query: [] },
    },
    { name: "lets nobody make it", send: ["PUT", "/none"], status: 401, body: admins },
  ];
  for (const { name, send, status, body, headers = {} } of scenarios) {
    test(name, async (t) => {
      const { client } = await startFrame(t, { routes, databases });
      const [method, path, options] = send;
      const reply = await client.send(method, path, options);
      assert.equal(reply.status, status, reply.text);
      if (body !== undefined) assert.deepEqual(reply.json(), body);
      if (reply.headers["content-type"] === "application/json") assert.ok(reply.text.endsWith("}\n"));
      for (const [header, expected] of Object.entries(headers)) {
        const value = reply.headers[header];
        if (expected instanceof RegExp) assert.match(String(value), expected, header);
        else assert.equal(value, expected, header);
      }
    });
  }

  test("answers HEAD as GET, without the body", async (t) => {
    const { client } = await startFrame(t, { routes });
    const get = await client.get("/");
    const head = await client.send("HEAD", "/");
    assert.equal(head.status, 200);
    assert.equal(head.text, "");
    // The method is part of the answer here: HEAD is one letter longer.
    assert.equal(Number(head.headers["content-length"]), get.bytes.length + 1);
  });
});

describe("paths", () => {
  const scenarios: readonly (readonly [path: string, params: Readonly<Record<string, string>>])[] = [
    ["/notes/a+b", { db: "notes", docid: "a b" }],
    ["/notes/a%2Bb?x=1+2", { db: "notes", docid: "a+b" }],
    ["/notes/a%2Fb", { db: "notes", docid: "a/b" }],
    ["/notes/a%252Fb", { db: "notes", docid: "a%2Fb" }],
    ["/notes/%C3%BCber", { db: "notes", docid: "über" }],
    ["/notes/a%00b", { db: "notes", docid: "a\0b" }],
    ["/notes//a", { db: "notes", docid: "a" }],
    ["//notes///a/", { db: "notes", docid: "a" }],
    ["/notes/a:b", { db: "notes", docid: "a:b" }],
    ["/notes/__proto__", { db: "notes", docid: "__proto__" }],
    [`/notes/${"i".repeat(7000)}`, { db: "notes", docid: "i".repeat(7000) }],
    ["/notes/a/b/c%20d", { db: "notes", docid: "a", "*": "b/c d" }],
  ];
  for (const [path, params] of scenarios) {
    test(path.slice(0, 40), async (t) => {
      const { client } = await startFrame(t, { routes, databases });
      const reply = await client.get(path, { authorization: "ada" });
      assert.equal(reply.status, 200, reply.text);
      assert.deepEqual(reply.json().params, params);
    });
  }

  for (const path of ["/notes/a%zz", "/notes/a%FF", "/a%zz", "/notes/%"]) {
    test(`${path} is refused clearly`, async (t) => {
      const { client } = await startFrame(t, { routes, databases });
      const reply = await client.get(path, { authorization: "ada" });
      assert.equal(reply.status, 400);
      assert.equal(reply.json().error, "bad_request");
      assert.equal((await client.get("/")).status, 200);
    });
  }
});

describe("the log", () => {
  test("holds what failed, under the name of the request, and a refusal not at all", async (t) => {
    const { client, log } = await startFrame(t, { routes });
    await client.get("/_fails/conflict");
    await client.get("/_fails/bug", { headers: { "X-Couch-Request-ID": "the-one" } });
    assert.equal(log.length, 1);
    assert.equal(log[0]?.["level"], "error");
    assert.equal(log[0]?.["request"], "the-one");
    assert.match(JSON.stringify(log[0]), /TypeError.*hunter2/);
  });

  test("holds each request at level debug: its path, no query, no credentials", async (t) => {
    const { client, log } = await startFrame(t, { routes, logLevel: "debug" });
    const headers = { cookie: "AuthSession=planted", "x-couch-request-id": "seen" };
    await client.get("/?startkey=planted", { authorization: "planted", headers });
    const [line] = await waitFor("the line of the request", () => (log.length > 0 ? log : undefined));
    assert.equal(line?.["request"], "seen");
    assert.equal(line?.["path"], "/");
    assert.equal(line?.["status"], 200);
    assert.ok(!JSON.stringify(log).includes("planted"), JSON.stringify(log));
  });
});
