import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { json } from "../../server/http/call.js";
import type { PathRoutes } from "../../server/http/route.js";
import { startFrame } from "../helpers/frame-world.js";

const routes: readonly PathRoutes[] = [
  { path: "/", allow: "GET,HEAD", methods: { GET: { need: "public", handler: () => json({ ok: true }) } } },
  { path: "/_admin", allow: "GET,HEAD", methods: { GET: { need: "server-admin", handler: () => json({ ok: true }) } } },
];

describe("an origin", () => {
  const scenarios: readonly (readonly [origins: readonly string[] | undefined, origin: string, isAllowed: boolean])[] =
    [
      [undefined, "http://localhost:3000", true],
      [undefined, "https://localhost", true],
      [undefined, "http://127.0.0.1:8080", true],
      [undefined, "http://[::1]:8080", true],
      [undefined, "http://localhost.evil.example", false],
      [undefined, "http://evil.example:3000", false],
      [undefined, "null", false],
      [["https://app.example"], "https://app.example", true],
      [["https://app.example"], "https://app.example.evil", false],
      [["https://app.example"], "http://app.example", false],
      [["https://app.example"], "http://localhost:3000", false],
      [["*"], "https://anybody.example", true],
      [[], "http://localhost:3000", false],
    ];
  for (const [origins, origin, isAllowed] of scenarios) {
    test(`${origin} is ${isAllowed ? "" : "not "}one of ${origins?.join(" ") ?? "the default"}`, async (t) => {
      const settings = origins ? { cors: { origins: [...origins] } } : {};
      const { client } = await startFrame(t, { routes, settings });
      const reply = await client.get("/", { headers: { origin } });
      // What the browser may show its page is the browser's to decide: the answer itself is the same.
      assert.equal(reply.status, 200);
      assert.equal(reply.headers["access-control-allow-origin"], isAllowed ? origin : undefined);
      assert.equal(reply.headers["access-control-allow-credentials"], isAllowed ? "true" : undefined);

      const headers = {
        origin,
        "access-control-request-method": "PUT",
        "access-control-request-headers": "content-type",
      };
      const preflight = await client.send("OPTIONS", "/", { headers });
      assert.equal(preflight.status, isAllowed ? 204 : 405);
      assert.equal(preflight.headers["access-control-allow-origin"], isAllowed ? origin : undefined);
      if (!isAllowed) return;
      for (const method of ["GET", "PUT", "POST", "HEAD", "DELETE", "COPY"]) {
        assert.ok(preflight.headers["access-control-allow-methods"]?.split(/, */).includes(method), method);
      }
      for (const name of [
        "accept",
        "authorization",
        "content-type",
        "origin",
        "referer",
        "if-match",
        "x-couch-full-commit",
      ]) {
        assert.ok(preflight.headers["access-control-allow-headers"]?.split(/, */).includes(name), name);
      }
    });
  }
});

test("a page may read the headers that PouchDB reads", async (t) => {
  const { client } = await startFrame(t, { routes });
  const reply = await client.get("/", { headers: { origin: "http://localhost" } });
  const exposed = reply.headers["access-control-expose-headers"]?.split(/, */) ?? [];
  for (const name of [
    "content-type",
    "cache-control",
    "accept-ranges",
    "etag",
    "server",
    "x-couch-request-id",
    "x-couch-update-newrev",
    "x-couchdb-body-time",
  ]) {
    assert.ok(exposed.includes(name), name);
  }
  assert.match(String(reply.headers.vary), /origin/i);
});

test("a refusal can be read as well", async (t) => {
  const { client } = await startFrame(t, { routes });
  const reply = await client.get("/_admin", { headers: { origin: "http://localhost" } });
  assert.equal(reply.status, 401);
  assert.equal(reply.headers["access-control-allow-origin"], "http://localhost");
});

test("a request of no other origin gets none of these headers", async (t) => {
  const { client } = await startFrame(t, { routes });
  const { headers } = await client.get("/");
  assert.deepEqual(
    Object.keys(headers).filter((name) => name.startsWith("access-control-")),
    [],
  );
});

test("OPTIONS without a question is a method like others", async (t) => {
  const { client } = await startFrame(t, { routes });
  assert.equal((await client.send("OPTIONS", "/")).status, 405);
});
