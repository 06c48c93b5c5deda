import assert from "node:assert/strict";
import test from "node:test";
import type { Handler } from "../../server/http/call.js";
import { json } from "../../server/http/call.js";
import { createPathRouter, plusIsSpace } from "../../server/http/path-router.js";
import type { PathRoutes } from "../../server/http/route.js";
import { routeTable } from "../../server/http/route-table.js";
import { startFrame } from "../helpers/frame-world.js";

/** Ways to write parts of paths, ordinary and odd. */
const parts = [
  "a",
  "a%2Fb",
  "a+b",
  "a%20b",
  "_x",
  "%5Fx",
  "..",
  "%2e%2e",
  "_design",
  "_DESIGN",
  "ü",
  "a;b",
  "a:b",
  "%25",
];

test("a rewrite finds the same row and the same parts as the listener", async (t) => {
  const tells =
    (path: string): Handler =>
    ({ params }) =>
      json({ path, params: { ...params } });
  // The paths of the real table. What is under a database is asked for as if it were not: the frame has none.
  const routes: PathRoutes[] = routeTable.map(({ path }) => ({
    path: path.replace("/:db", "/:name"),
    allow: "GET",
    methods: { GET: { need: "public", handler: tells(path.replace("/:db", "/:name")) } },
  }));
  const find = createPathRouter(routes, 8000, plusIsSpace);
  const { client } = await startFrame(t, { routes });
  const urls = routes.flatMap(({ path }) =>
    parts.flatMap((part) => {
      const url = path.replace(/:\w+/g, part).replace("*", `${part}/x`);
      return [url, `${url}/`, `/${url}`, `${url}?a=${part}`];
    }),
  );
  let compared = 0;
  for (const url of new Set(urls.map((url) => encodeURI(url).replaceAll("%25", "%")))) {
    const reply = await client.get(url);
    const found = find(url);
    const expected = reply.status === 400 ? undefined : reply.json();
    assert.deepEqual(found && { path: found.routes.path, params: { ...found.params } }, expected, url);
    compared++;
  }
  assert.ok(compared > 1000, String(compared));
});
