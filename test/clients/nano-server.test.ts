import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { after, before, test } from "node:test";
import nano from "nano";
import { adminPassword, type SetteeProcess, startSettee } from "../helpers/settee-process.js";

let settee: SetteeProcess;
let server: nano.ServerScope;
before(async () => {
  settee = await startSettee();
  server = nano(settee.adminUrl);
});
after(() => settee.close());

test("the server says what it is, and gives uuids", async () => {
  const welcome = await server.info();
  equal(welcome.couchdb, "Welcome");
  match(welcome.version, /^3\./);
  const { uuids } = await server.uuids(30);
  equal(new Set(uuids).size, 30);
  for (const uuid of uuids) match(uuid, /^[0-9a-f]{32}$/);
  equal((await server.uuids()).uuids.length, 1);
});

test("a session by cookie: opened, asked for, used", async () => {
  const plain = nano(settee.url);
  await rejects(plain.auth("admin", "wrong"), { statusCode: 401, error: "unauthorized" });
  deepEqual((await plain.session()).userCtx, { name: null, roles: [] });
  await rejects(plain.db.create("by-cookie"), { statusCode: 401 });
  const login = await plain.auth("admin", adminPassword);
  deepEqual([login.ok, login.name, login.roles], [true, "admin", ["_admin"]]);
  const session = await plain.session();
  deepEqual(session.userCtx, { name: "admin", roles: ["_admin"] });
  equal((session.info as { readonly authenticated?: string }).authenticated, "cookie");
  deepEqual(await plain.db.create("by-cookie"), { ok: true });
});

test("databases by every method: created partitioned, used, listed as a stream, compacted, destroyed", async () => {
  await server.db.create("in-parts", { partitioned: true });
  const db = server.use<{ readonly n: number }>("in-parts");
  const { props } = (await db.info()) as { readonly props?: object };
  deepEqual(props, { partitioned: true });
  await db.bulk({ docs: ["a:1", "a:2", "b:1"].map((_id, n) => ({ _id, n })) });
  const { doc_count, partition } = await db.partitionInfo("a");
  deepEqual([doc_count, partition], [2, "a"]);
  const listed = await db.partitionedList("a", { include_docs: true });
  deepEqual(
    listed.rows.map(({ id, doc }) => [id, doc?.n]),
    [
      ["a:1", 0],
      ["a:2", 1],
    ],
  );
  const stream = JSON.parse(await textOf(db.partitionedListAsStream("b")));
  deepEqual(
    stream.rows.map(({ id }: { readonly id: string }) => id),
    ["b:1"],
  );

  deepEqual(await server.db.compact("in-parts"), { ok: true });
  deepEqual(await db.compact(), { ok: true });
  const names = JSON.parse(await textOf(server.db.listAsStream()));
  deepEqual(names, await server.db.list());
  ok(names.includes("in-parts"));
  equal((await server.db.changes("in-parts")).results.length, 3);
  deepEqual(await server.db.destroy("in-parts"), { ok: true });
  await rejects(db.info(), { statusCode: 404, error: "not_found" });
});

test("updates of databases are waited for", async () => {
  const { last_seq } = await server.updates();
  const waiting = server.updates({ feed: "longpoll", since: last_seq, timeout: 10_000 } as nano.UpdatesParams);
  await server.db.create("news");
  const { results } = (await waiting) as unknown as {
    readonly results: readonly { readonly db_name: string; readonly type: string }[];
  };
  deepEqual(
    results.map(({ db_name, type }) => [db_name, type]),
    [["news", "created"]],
  );
});

test("any request by hand, with the reply's own words in an error", async () => {
  await server.db.create("by-hand");
  const written = await server.request({ db: "by-hand", method: "PUT", doc: "a/b", body: { n: 1 } });
  equal(written.id, "a/b");
  const kept = await server.relax({ db: "by-hand", path: "_revs_limit" });
  equal(kept, 1000);
  const security = { admins: { names: ["x"], roles: [] }, members: { names: [], roles: ["y"] } };
  await server.relax({ db: "by-hand", method: "PUT", path: "_security", body: security });
  deepEqual(await server.relax({ db: "by-hand", path: "_security" }), security);
  await rejects(server.request({ db: "by-hand", path: "a/none" }), {
    statusCode: 404,
    error: "not_found",
    reason: "missing",
    scope: "couch",
  });
  deepEqual(await server.relax({ path: "_up" }), { status: "ok", seeds: {} });
});

test("a server is reached from its databases", async () => {
  const db = server.scope("by-hand");
  equal(db.config.db, "by-hand");
  ok((await db.server.db.list()).includes("by-hand"));
});

async function textOf(stream: AsyncIterable<Buffer | string>): Promise<string> {
  const pieces: string[] = [];
  for await (const piece of stream) pieces.push(String(piece));
  return pieces.join("");
}
