/** Every route of a database, by everybody who may or may not be let in: made of the route table, so that none is left out. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { routeTable } from "../../../server/http/route-table.js";
import { type Attempt, reading, writing } from "../../clients/isolation-table.js";
import type { HttpClient, HttpReply } from "../../helpers/http-client.js";
import { type SharedServer, startSharedServer } from "../../helpers/shared-server.js";

const people = ["owner", "writer", "reader", "stranger", "guest"] as const;
type Person = (typeof people)[number];

/** What each need is answered with; 0: it is let in. */
type Answers = Readonly<Record<Person, number>>;
const administration: Answers = { owner: 401, writer: 401, reader: 401, stranger: 403, guest: 401 };
const closed: Readonly<Record<string, Answers>> = {
  read: { owner: 0, writer: 0, reader: 0, stranger: 403, guest: 401 },
  member: { owner: 0, writer: 0, reader: 0, stranger: 403, guest: 401 },
  write: { owner: 0, writer: 0, reader: 403, stranger: 403, guest: 401 },
  "database-admin": administration,
  "server-admin": { owner: 401, writer: 401, reader: 401, stranger: 401, guest: 401 },
};
const open: typeof closed = { ...closed, read: { owner: 0, writer: 0, reader: 0, stranger: 0, guest: 0 } };

const methods = new Set(["GET", "HEAD", "PUT", "POST", "DELETE", "COPY"]);
const parts: Readonly<Record<string, string>> = {
  docid: "secret",
  ddoc: "judged",
  local: "mark",
  func: "one",
  view: "texts",
  other: "judged",
  partition: "p",
};

interface Row {
  readonly method: string;
  readonly path: string;
  readonly need: string;
}

/** `DB` stands for the database. */
const rows: readonly Row[] = routeTable.flatMap(({ path, methods: routes }) => {
  if (!path.startsWith("/:db")) return [];
  const filled = path.replace("/:db", "/DB").replace(/:(\w+)/g, (_, part: string) => parts[part] as string);
  const target = filled.replace("*", "rest/of/it/all/here");
  return Object.entries(routes).flatMap(([method, { need }]) =>
    methods.has(method)
      ? [{ method, path: target, need: path === "/:db" && method === "PUT" ? "server-admin" : need }]
      : [],
  );
});

let server: SharedServer;
let clients: Readonly<Record<Person, HttpClient>>;
let revs: { readonly SECRET_REV: string; readonly OTHER_REV: string };

before(async () => {
  server = await startSharedServer({ writer: "writer", reader: "reader" });
  clients = {
    owner: await server.as("ada"),
    writer: await server.as("writer"),
    reader: await server.as("reader"),
    stranger: await server.as("stranger"),
    guest: server.guest,
  };
  await fill();
});
after(() => server.close());

async function fill(): Promise<void> {
  const { admin, name } = server;
  const put = async (path: string, body: unknown, headers = {}) =>
    (await admin.expect(201, "PUT", `/${name}/${path}`, { body, headers })).json().rev as string;
  const secret = await put("secret", { type: "note", text: "a secret" });
  const withFile = await put(`secret/file.bin?rev=${secret}`, "a secret", {
    "content-type": "application/octet-stream",
  });
  const other = await put("other", { type: "note", text: "other" });
  await put("_local/mark", { text: "a checkpoint" });
  await put("_design/judged", {
    language: "javascript",
    views: { texts: { map: "function (doc) { emit(doc.type, doc.text); }" } },
    shows: { one: "function (doc, req) { return JSON.stringify([doc, req.secObj]); }" },
    lists: { all: "function () { var row; while ((row = getRow())) send(row.value); }" },
    updates: { touch: "function (doc) { doc.touched = true; return [doc, doc.text]; }" },
    rewrites: [
      { from: "anything", to: "../../secret" },
      { from: "written", to: "../../forged", method: "PUT" },
    ],
  });
  revs = { SECRET_REV: withFile, OTHER_REV: other };
}

/** All that somebody who only reads could change, but for local documents. */
async function fingerprint(): Promise<string> {
  const { admin, name } = server;
  const paths = ["_all_docs", "_security", "_revs_limit", "_purged_infos_limit"];
  const replies = await Promise.all(paths.map((path) => admin.get(`/${name}/${path}`)));
  const { doc_count, doc_del_count, update_seq, purge_seq } = (await admin.get(`/${name}`)).json();
  return JSON.stringify([replies.map(({ text }) => text), doc_count, doc_del_count, update_seq, purge_seq]);
}

function ask(person: Person, { method, path, body, headers }: Attempt): Promise<HttpReply> {
  const filled = path
    .replaceAll("DB", server.name)
    .replaceAll("SECRET_REV", revs.SECRET_REV)
    .replaceAll("OTHER_REV", revs.OTHER_REV);
  const given = body === undefined && ["PUT", "POST"].includes(method) ? { type: "note" } : body;
  return clients[person].send(method, filled, { body: given, headers: { destination: "copied", ...headers } });
}

/** A member is let in to a design document, and then told that it is not theirs to write; an update function has its own words. */
function mayBeRefusedInside({ method, path, need }: Row): boolean {
  return (need === "write" && path.startsWith("/DB/_design/")) || (method === "POST" && path.endsWith("/_find"));
}

async function wrongAnswers(expected: typeof closed, asked: readonly Person[]): Promise<readonly string[]> {
  const wrong: string[] = [];
  for (const row of rows) {
    for (const person of asked) {
      const wanted = expected[row.need]?.[person];
      assert.ok(wanted !== undefined, `no expectation for ${row.need}`);
      const { status, text } = await ask(person, row);
      const isLetIn = status !== 401 && status !== 403;
      const isRight = wanted === 0 ? isLetIn || mayBeRefusedInside(row) : status === wanted;
      if (!isRight) wrong.push(`${person}: ${row.method} ${row.path}: ${status} for ${wanted} ${text.slice(0, 90)}`);
    }
  }
  return wrong;
}

describe("every route of a shared database", () => {
  it("is in the matrix", () => {
    assert.ok(rows.length > 100, `${rows.length} rows`);
    assert.deepEqual([...new Set(rows.map(({ need }) => need))].sort(), Object.keys(closed).sort());
  });

  it("answers those who only read, strangers and guests as it should, and nothing is changed by them", async () => {
    const before = await fingerprint();
    assert.deepEqual(await wrongAnswers(closed, ["reader", "stranger", "guest"]), []);
    assert.equal(await fingerprint(), before);
  });

  it("is the same when the database is open to the public, but for reading", async () => {
    const { name } = server;
    await clients.owner.expect(200, "PUT", `/_settee/databases/${name}/public`, { body: { read: true } });
    const before = await fingerprint();
    assert.deepEqual(await wrongAnswers(open, ["reader", "stranger", "guest"]), []);
    assert.equal(await fingerprint(), before);
  });

  it("keeps local documents and names of members from the public", async () => {
    const local = encodeURIComponent("_local/mark");
    await server.admin.put(`/${server.name}/_local/mark`, { text: "a checkpoint" });
    for (const person of ["stranger", "guest"] as const) {
      for (const attempt of [
        { method: "GET", path: `/DB/${local}` },
        { method: "GET", path: `/DB/${local}?open_revs=all` },
        { method: "POST", path: "/DB/_all_docs?include_docs=true", body: { keys: ["_local/mark"] } },
        { method: "POST", path: "/DB/_all_docs/queries", body: { queries: [{ keys: ["_local/mark"] }] } },
        { method: "POST", path: "/DB/_bulk_get", body: { docs: [{ id: "_local/mark" }] } },
        { method: "GET", path: "/DB/_design/judged/_show/one/_local/mark" },
        { method: "GET", path: "/DB/_design/judged/_show/one/secret" },
        { method: "GET", path: "/DB/_local/mark" },
        { method: "GET", path: "/DB/_security" },
      ]) {
        const { text, status } = await ask(person, attempt);
        assert.ok(!/a checkpoint|"names"|reader/.test(text), `${person} ${attempt.path}: ${status} ${text}`);
      }
    }
    const seen = await ask("reader", { method: "GET", path: "/DB/_design/judged/_show/one/_local/mark" });
    assert.match(seen.text, /a checkpoint.*"names"/);
  });

  it("lets those who read replicate and keep their checkpoints", async () => {
    for (const attempt of reading) {
      if (attempt.works === undefined) continue;
      const { status, text } = await ask("reader", attempt);
      assert.equal(status, attempt.works, `${attempt.method} ${attempt.path}: ${text}`);
    }
    const path = "/DB/_local/checkpoint-of-mine";
    assert.equal((await ask("reader", { method: "PUT", path, body: { last_seq: 1 } })).status, 201);
    assert.equal((await ask("reader", { method: "DELETE", path })).status, 200);
  });

  it("writes nothing for those who only read, whatever way they try", async () => {
    const before = await fingerprint();
    const more: readonly Attempt[] = [
      { method: "POST", path: "/DB/_bulk_docs", body: { docs: [{ _id: "_local/x", a: 1 }] } },
      { method: "COPY", path: "/DB/_local/mark", headers: { destination: "copied" } },
      { method: "PUT", path: `/DB/${encodeURIComponent("_local/../forged")}`, body: { type: "note" } },
      { method: "PUT", path: "/DB/_design/judged/_rewrite/written", body: { type: "note" } },
      { method: "GET", path: "/DB/_design/judged/_rewrite/written" },
      { method: "POST", path: "/DB/secret", headers: { "x-http-method-override": "DELETE" } },
      { method: "POST", path: "/DB/forged", body: { type: "note" }, headers: { "x-http-method-override": "PUT" } },
    ];
    for (const attempt of [...writing, ...more]) {
      if (/^\/DB\/_local\/|_ensure_full_commit/.test(attempt.path) && attempt.method !== "COPY") continue;
      const { status, text } = await ask("reader", attempt);
      const isRefused =
        status === 403 || status === 401 || (attempt.path.endsWith("_rewrite/written") && status >= 400);
      assert.ok(isRefused, `${attempt.method} ${attempt.path}: ${status} ${text}`);
    }
    assert.equal(await fingerprint(), before);
  });

  it("lets owners and writers in", async () => {
    assert.deepEqual(await wrongAnswers(closed, ["owner", "writer"]), []);
  });
});

describe("what administers a shared database", () => {
  it("is answered to strangers as if it were not there, and to guests not at all", async () => {
    const { name } = server;
    const asked: readonly [string, string, unknown?][] = [
      ["GET", ""],
      ["PUT", "", { title: "Mine" }],
      ["DELETE", ""],
      ["PUT", "/members/stranger", { role: "owner" }],
      ["DELETE", "/members/reader"],
      ["POST", "/transfer", { to: "stranger" }],
      ["PUT", "/public", { read: true }],
      ["GET", "/invitations"],
      ["POST", "/invitations", { role: "owner", link: true }],
      ["DELETE", "/invitations/aaaaaaaaaaaaaaaaaaaa-aaaaaaaaaaaaaaaa"],
    ];
    for (const [method, path, body] of asked) {
      for (const [person, target, wanted] of [
        ["stranger", name, 404],
        ["stranger", "shared-aaaaaaaaaaaaaaaaaaaa", 404],
        ["guest", name, 401],
        ["reader", name, method === "GET" && path === "" ? 200 : 403],
      ] as const) {
        if (person === "reader" && path === "/members/reader") continue;
        const reply = await clients[person].send(method, `/_settee/databases/${target}${path}`, { body });
        assert.equal(reply.status, wanted, `${person}: ${method} ${path}: ${reply.text}`);
      }
    }
    for (const path of ["trash", `trash/${name}/restore`]) {
      const method = path === "trash" ? "GET" : "POST";
      const body = method === "POST" ? {} : undefined;
      assert.equal((await clients.owner.send(method, `/_settee/${path}`, { body })).status, 401);
    }
  });
});
