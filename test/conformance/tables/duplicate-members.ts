/**
 * CVE-2017-12635: two parsers that disagree about a member that comes twice let anybody become an administrator. Wherever JSON comes
 * in, and however a name is spelt: the object that was checked is the object that is stored.
 */
import assert from "node:assert/strict";
import type { HttpReply } from "../../helpers/http-client.js";
import type { Scenario, Table } from "./table.js";
import type { World } from "./world.js";

/** Two members of one name, or of names that a careless parser takes for one. */
interface Variant {
  readonly name: string;
  /** Members of an object, as text. `BAD` and `GOOD` stand for values. */
  readonly members: string;
  /** What counts; undefined: the text is no JSON, or no document. */
  readonly counts: "BAD" | "GOOD" | undefined;
}

/** `first` is the member's name, `escaped` the same one in other letters. */
function variantsOf(plain: string): readonly Variant[] {
  const escaped = `\\u00${plain.charCodeAt(0).toString(16)}${plain.slice(1)}`;
  return [
    { name: "the last is good", members: `"${plain}":BAD,"${plain}":GOOD`, counts: "GOOD" },
    { name: "the last is bad", members: `"${plain}":GOOD,"${plain}":BAD`, counts: "BAD" },
    { name: "escaped, the last is good", members: `"${plain}":BAD,"${escaped}":GOOD`, counts: "GOOD" },
    { name: "escaped, the last is bad", members: `"${plain}":GOOD,"${escaped}":BAD`, counts: "BAD" },
    { name: "escaped first, the last is good", members: `"${escaped}":BAD,"${plain}":GOOD`, counts: "GOOD" },
    { name: "escaped first, the last is bad", members: `"${escaped}":GOOD,"${plain}":BAD`, counts: "BAD" },
    { name: "three of them", members: `"${plain}":GOOD,"${plain}":BAD,"${plain}":GOOD`, counts: "GOOD" },
    {
      name: "far apart",
      members: `"${plain}":BAD,"x":[{"${plain}":BAD}],"y":"${plain}","${plain}":GOOD`,
      counts: "GOOD",
    },
    { name: "in the prototype", members: `"${plain}":GOOD,"__proto__":{"${plain}":BAD}`, counts: undefined },
    {
      name: "in the constructor's prototype",
      members: `"${plain}":GOOD,"constructor":{"prototype":{"${plain}":BAD}}`,
      counts: "GOOD",
    },
    { name: "in another case", members: `"${plain}":GOOD,"${plain.toUpperCase()}":BAD`, counts: "GOOD" },
    { name: "with an invisible letter", members: `"${plain}":GOOD,"${plain}\u200b":BAD`, counts: "GOOD" },
    { name: "with half a pair", members: `"${plain}":GOOD,"${plain}\\ud800":BAD`, counts: undefined },
    { name: "with a NUL", members: `"${plain}":GOOD,"${plain}\\u0000":BAD`, counts: "GOOD" },
  ];
}

/** A way for a document's text into a database. */
interface Way {
  readonly name: string;
  readonly send: (world: World, database: string, id: string, members: string) => Promise<HttpReply>;
}

const related = { headers: { "content-type": 'multipart/related; boundary="bb"' } };
const ways: readonly Way[] = [
  { name: "PUT", send: (world, db, id, members) => world.client.put(`/${db}/${id}`, `{${members}}`) },
  { name: "POST", send: (world, db, id, members) => world.client.post(`/${db}`, `{"_id":"${id}",${members}}`) },
  {
    name: "_bulk_docs",
    send: (world, db, id, members) => world.client.post(`/${db}/_bulk_docs`, `{"docs":[{"_id":"${id}",${members}}]}`),
  },
  {
    name: "replication",
    send: (world, db, id, members) =>
      world.client.post(
        `/${db}/_bulk_docs`,
        `{"new_edits":false,"docs":[{"_id":"${id}","_rev":"1-0123456789abcdef0123456789abcdef",${members}}]}`,
      ),
  },
  {
    name: "multipart",
    send: (world, db, id, members) =>
      world.client.put(`/${db}/${id}`, `--bb\r\nContent-Type: application/json\r\n\r\n{${members}}\r\n--bb--`, related),
  },
];

/** What was stored has each member once: the text is that of its own meaning. */
function hasEachOnce(reply: HttpReply): void {
  assert.equal(reply.text.trim(), JSON.stringify(reply.json()));
}

/** Whether the answer says that it was stored; refusals of `_bulk_docs` are rows. */
function isStored(reply: HttpReply): boolean {
  return reply.status === 201 && !reply.text.includes('"error"');
}

async function becomesNoAdmin(world: World, way: Way, { name, members, counts }: Variant): Promise<void> {
  const user = world.userName();
  const id = `org.couchdb.user:${user}`;
  const roles = members.replaceAll("BAD", '["_admin"]').replaceAll("GOOD", '["friend"]');
  const text = `"name":"${user}","type":"user","password":"secret",${roles}`;
  const reply = await way.send(world, "_users", id, text);
  assert.equal(isStored(reply), counts === "GOOD", `${way.name}, ${name}: ${reply.text}`);
  const stored = await world.client.get(`/_users/${id}`);
  const session = await world.client.post("/_session", { name: user, password: "secret" }, { authorization: null });
  if (counts === "GOOD") {
    assert.deepEqual(stored.json().roles, ["friend"]);
    hasEachOnce(stored);
    assert.deepEqual(session.json().roles, ["friend"]);
  } else {
    assert.equal(stored.status, 404);
  }
  assert.equal((await world.sendAs(user, "secret", "GET", "/_all_dbs")).status, 401);
}

async function isWhatWasValidated(
  world: World,
  database: string,
  way: Way,
  variant: Variant,
  index: number,
): Promise<void> {
  const { name, members, counts } = variant;
  const id = `${way.name.replace("_", "")}-${index}`;
  const text = members.replaceAll("BAD", '"boss"').replaceAll("GOOD", '"friend"');
  const reply = await way.send(world, database, id, text);
  assert.equal(isStored(reply), counts === "GOOD", `${way.name}, ${name}: ${reply.text}`);
  const stored = await world.client.get(`/${database}/${id}`);
  assert.equal(stored.status, counts === "GOOD" ? 200 : 404);
  if (counts !== "GOOD") return;
  assert.equal(stored.json().role, "friend");
  hasEachOnce(stored);
}

const cve = "CVE-2017-12635";
const securityOf = (members: string, user: string): string =>
  `{${members.replaceAll("BAD", `{"names":["${user}"],"roles":[]}`).replaceAll("GOOD", '{"names":[],"roles":[]}')},` +
  `"members":{"names":["${user}"],"roles":[]}}`;

const scenarios: readonly Scenario[] = [
  {
    name: `${cve}: roles of a user, by PUT`,
    async run(world) {
      for (const variant of variantsOf("roles")) await becomesNoAdmin(world, ways[0] as Way, variant);
    },
  },
  ...ways.slice(1).map(
    (way): Scenario => ({
      name: `${cve}: roles of a user, by ${way.name}`,
      async run(world) {
        for (const variant of variantsOf("roles").slice(0, 6)) await becomesNoAdmin(world, way, variant);
      },
    }),
  ),
  {
    name: `${cve}: a user's own document`,
    async run(world) {
      const user = world.userName();
      const path = `/_users/org.couchdb.user:${user}`;
      const document = { name: user, type: "user", roles: [], password: "secret" };
      const { rev } = (await world.client.expect(201, "PUT", path, { body: document })).json();
      for (const { members } of variantsOf("roles")) {
        const roles = members.replaceAll("BAD", '["_admin"]').replaceAll("GOOD", "[]");
        const text = `{"_rev":"${rev}","name":"${user}","type":"user","password":"secret",${roles}}`;
        await world.sendAs(user, "secret", "PUT", path, text);
        assert.deepEqual((await world.client.expect(200, "GET", path)).json().roles, []);
        assert.equal((await world.sendAs(user, "secret", "GET", "/_all_dbs")).status, 401);
      }
    },
  },
  {
    name: `${cve}: a byte order mark, and half a pair, before everything else`,
    async run(world) {
      const user = world.userName();
      const path = `/_users/org.couchdb.user:${user}`;
      const text = `{"name":"${user}","type":"user","password":"secret","roles":[]}`;
      for (const bad of [`\ufeff${text}`, text.replace("[]", '["\\udc00_admin"]'), text.replace("secret", "\\ud800")]) {
        assert.equal((await world.client.put(path, bad)).status, 400);
        assert.equal((await world.client.get(path)).status, 404);
      }
    },
  },
  {
    name: `${cve}: administrators of a database`,
    async run(world) {
      const user = world.userName();
      const document = { name: user, type: "user", roles: [], password: "secret" };
      await world.client.expect(201, "PUT", `/_users/org.couchdb.user:${user}`, { body: document });
      for (const { name, members, counts } of variantsOf("admins")) {
        if (counts === undefined || name === "in another case") continue;
        const database = await world.database();
        await world.client.expect(200, "PUT", `/${database}/_security`, { body: securityOf(members, user) });
        const stored = await world.client.expect(200, "GET", `/${database}/_security`);
        assert.deepEqual(stored.json().admins.names, counts === "BAD" ? [user] : [], name);
        const written = await world.sendAs(user, "secret", "PUT", `/${database}/_design/d`, {});
        assert.equal(written.status, counts === "BAD" ? 201 : 403, `${name}: ${written.text}`);
        assert.equal((await world.sendAs(user, "secret", "PUT", `/${database}/doc`, {})).status, 201);
      }
    },
  },
  {
    name: `${cve}: what was validated is what is stored`,
    async run(world) {
      const database = await world.database();
      const validate_doc_update = 'function (doc) { if (doc.role === "boss") throw { forbidden: "no bosses" }; }';
      await world.client.expect(201, "PUT", `/${database}/_design/d`, { body: { validate_doc_update } });
      for (const way of ways) {
        for (const [index, variant] of variantsOf("role").entries()) {
          await isWhatWasValidated(world, database, way, variant, index);
        }
      }
    },
  },
  {
    name: `${cve}: ids, lists and attachments that come twice`,
    async run(world) {
      const database = await world.database();
      await world.client.expect(201, "POST", `/${database}/_bulk_docs`, {
        body: '{"docs":[{"_id":"first"}],"docs":[{"_id":"x","n":1,"_id":"second","n":2}]}',
      });
      const attachments =
        '"_attachments":{"f":{"data":"Qg=="}},"_attachments":{"f":{"data":"QQ=="},"\\u0066":{"data":"Qw=="}}';
      await world.client.expect(201, "PUT", `/${database}/third`, { body: `{${attachments}}` });
      assert.equal((await world.client.expect(200, "GET", `/${database}/third/f`)).text, "C");
      const { rows } = (await world.client.expect(200, "GET", `/${database}/_all_docs?include_docs=true`)).json();
      assert.deepEqual(
        rows.map(({ id }: { readonly id: string }) => id),
        ["second", "third"],
      );
      assert.equal(rows[0].doc.n, 2);
      assert.deepEqual(Object.keys(rows[1].doc._attachments), ["f"]);
    },
  },
];

export const duplicateMembers: Table = { family: "duplicate-members", scenarios };
