/** Shapes of requests by which systems like this one were broken. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { openFeed } from "../../helpers/feed-reader.js";
import { RawConnection } from "./raw-connection.js";
import { eachRefused, onlySettee, refused } from "./rows.js";
import type { Row, Scenario, Table } from "./table.js";
import type { World } from "./world.js";

const climbing: Readonly<Record<string, string>> = {
  plain: "/../../../../etc/passwd",
  escaped: "/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
  "escaped slashes": "/..%2f..%2f..%2fetc%2fpasswd",
  "all escaped": "/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
  "twice escaped": "/%252e%252e%252f%252e%252e%252fetc%252fpasswd",
  backslashes: "/..%5c..%5c..%5cetc%5cpasswd",
  "a long way of writing a point": "/%c0%ae%c0%ae/%c0%ae%c0%ae/etc/passwd",
  "behind a database": "/{{db}}/../../../../etc/passwd",
  "as a document": "/{{db}}/..%2f..%2f..%2fetc%2fpasswd",
  "as a local document": "/{{db}}/_local/..%2f..%2f..%2fetc%2fpasswd",
  "as an attachment": "/{{db}}/a/../../../../etc/passwd",
  "as an attachment, escaped": "/{{db}}/a/..%2f..%2f..%2fetc%2fpasswd",
  "as an attachment of a design document": "/{{db}}/_design/a/..%2f..%2fetc%2fpasswd",
  "with a NUL": "/{{db}}/a/f%00.html",
  "with a NUL as a document": "/{{db}}/a%00",
  "with a NUL in the database": "/{{db}}%00/a",
};
const climbingPages: readonly string[] = [
  "/_utils/../package.json",
  "/_utils/%2e%2e/package.json",
  "/_utils/..%2fpackage.json",
  "/_utils/%2e%2e%2f%2e%2e%2fpackage.json",
  "/_utils/..%5c..%5cpackage.json",
  "/_utils/%252e%252e%252fpackage.json",
  "/_utils//etc/passwd",
];

/** CVE-2026-90799: sequences are opaque, and so everybody tries others. */
const forged: Readonly<Record<string, string>> = {
  "random bytes": `%${randomBytes(16)
    .toString("hex")
    .match(/../g)
    ?.map((byte) => byte.replace(/^[89a-f]/, "4"))
    .join("%")}`,
  "a list nested deep": "%5B".repeat(500),
  "a list in quotes": "%22%5B%5B0%5D%5D%22",
  "a number in quotes": "%225%22",
  "a negative one": "-1-g1AAAA",
  "a fraction": "1.5-g1AAAA",
  "a NUL": "1-%00",
  "a name of the prototype": "__proto__",
  "a path": "..%2f..%2f0",
  "6,000 letters": "{{a*6000}}",
  "two of them": "%5B0,0%5D",
};

const jsonp: readonly string[] = [
  "/",
  "/_all_dbs",
  "/_uuids",
  "/_session",
  "/{{db}}",
  "/{{db}}/a",
  "/{{db}}/_all_docs",
  "/{{db}}/_changes",
  "/_up",
];

const rows: readonly Row[] = [
  ...Object.entries(climbing)
    .filter(([name]) => name !== "a long way of writing a point")
    .map(([name, path]) => refused("not_found", `CVE-2012-5641: ${name}`, `GET ${path}`, { lacks: ["root:"] })),
  ...onlySettee("a path that is not UTF-8 is refused as such", [
    refused(
      "bad_request",
      "CVE-2012-5641: a long way of writing a point",
      `GET ${climbing["a long way of writing a point"]}`,
    ),
  ]),
  ...climbingPages.map(
    (path): Row => ({ name: `CVE-2012-5641: ${path}`, ask: `GET ${path}`, status: 404, lacks: ["couchdb", "root:"] }),
  ),
  ...eachRefused(
    "bad_request",
    Object.fromEntries(
      Object.entries(forged).map(([name, since]) => [
        `CVE-2026-90799: since is ${name}`,
        `GET /{{db}}/_changes?since=${since}`,
      ]),
    ),
  ),
  ...["x", '"x"', "[]", "-1"].map((id) =>
    refused(
      "bad_request",
      `CVE-2026-90799: Last-Event-ID is ${id}`,
      "GET /{{db}}/_changes?feed=eventsource&timeout=10",
      {
        headers: { "last-event-id": id },
      },
    ),
  ),
  ...jsonp.map(
    (path): Row => ({
      name: `CVE-2012-5649: JSONP of ${path}`,
      ask: `GET ${path}?callback=alert&jsonp=alert`,
      status: 200,
      lacks: ["alert"],
      answer: { "content-type": "application/json" },
    }),
  ),
  ...["/", "/_all_dbs", "/{{db}}", "/{{db}}/a", "/{{db}}/_all_docs", "/{{db}}/_changes", "/_session"].map(
    (path): Row => ({
      name: `prototype pollution: parameters of ${path}`,
      ask: `GET ${path}?__proto__[x]=1&constructor[prototype][x]=1&__proto__=%7B%22x%22:1%7D&constructor=x&toString=1`,
      status: 200,
    }),
  ),
];

const curious =
  '"constructor":{"prototype":{"x":1}},"prototype":{"x":1},"a":{"__proto__":{"x":1},"constructor":{"prototype":{"x":1}}},' +
  '"b":[{"__proto__":[]},{"__proto__":null}],"hasOwnProperty":null,"toString":"x","x":{"\\\\u0000":"\u2028</script>"}';

/** What an object that has no members must look like to the server, by several doors. */
async function isUnpolluted(world: World, database: string): Promise<void> {
  assert.equal((await world.client.expect(200, "POST", `/${database}/_revs_diff`, { body: {} })).text.trim(), "{}");
  await world.client.expect(400, "POST", `/${database}/_bulk_docs`, { body: {} });
  await world.client.expect(400, "POST", "/_dbs_info", { body: {} });
  const { rev } = (await world.client.expect(201, "POST", `/${database}`, { body: {} })).json();
  assert.match(rev, /^1-/);
}

const scenarios: readonly Scenario[] = [
  {
    name: "prototype pollution: documents with the prototype's names come back byte for byte",
    async run(world) {
      const database = await world.database();
      const { client } = world;
      const multipart = { headers: { "content-type": 'multipart/related; boundary="bb"' } };
      await client.expect(201, "PUT", `/${database}/put`, { body: `{${curious}}` });
      await client.expect(201, "POST", `/${database}`, { body: `{"_id":"post",${curious}}` });
      await client.expect(201, "PUT", `/${database}/_local/local`, { body: `{${curious}}` });
      await client.expect(201, "POST", `/${database}/_bulk_docs`, {
        body: `{"docs":[{"_id":"bulk",${curious}}],${curious}}`,
      });
      const part = `--bb\r\nContent-Type: application/json\r\n__proto__: x\r\n\r\n{${curious}}\r\n--bb--`;
      await client.expect(201, "PUT", `/${database}/multipart`, { body: part, ...multipart });
      for (const id of ["put", "post", "_local/local", "bulk", "multipart"]) {
        const { text } = await client.expect(200, "GET", `/${database}/${id}`);
        assert.ok(text.trim().endsWith(`,${curious}}`), `${id}: ${text}`);
      }
      for (const path of ["_all_docs?include_docs=true", "_changes?include_docs=true", "put?open_revs=all"]) {
        assert.ok((await client.expect(200, "GET", `/${database}/${path}`)).text.includes(`,${curious}}`), path);
      }
      const got = await client.expect(200, "POST", `/${database}/_bulk_get`, {
        body: `{"docs":[{"id":"put",${curious}}]}`,
      });
      assert.ok(got.text.includes(`,${curious}}`));
      await isUnpolluted(world, database);
    },
  },
  {
    name: "prototype pollution: attachments with the prototype's names",
    async run(world) {
      const database = await world.database();
      let rev = "";
      for (const name of ["constructor", "toString", "prototype", "hasOwnProperty"]) {
        const query = rev && `?rev=${rev}`;
        rev = (await world.client.expect(201, "PUT", `/${database}/doc/${name}${query}`, { body: name })).json().rev;
      }
      for (const name of ["constructor", "toString", "prototype", "hasOwnProperty"]) {
        assert.equal((await world.client.expect(200, "GET", `/${database}/doc/${name}`)).text, name);
      }
      assert.equal((await world.client.get(`/${database}/doc/valueOf`)).status, 404);
      await isUnpolluted(world, database);
    },
  },
  {
    name: "prototype pollution: a security object with the prototype's names makes nobody a member",
    async run(world) {
      const database = await world.database();
      const user = world.userName();
      const account = { name: user, type: "user", roles: [], password: "secret" };
      await world.client.expect(201, "PUT", `/_users/org.couchdb.user:${user}`, { body: account });
      const members = `{"names":["${user}"],"roles":[]}`;
      const body = `{"__proto__":{"members":${members},"admins":${members}},"constructor":{"prototype":{"members":${members}}},"members":{"names":["somebody"],"roles":[]}}`;
      const written = await world.client.put(`/${database}/_security`, body);
      assert.ok([200, 400].includes(written.status), written.text);
      assert.equal((await world.sendAs(user, "secret", "GET", `/${database}`)).status, 403);
      await isUnpolluted(world, database);
    },
  },
  {
    name: "CVE-2012-5641: no name of an attachment becomes a path",
    async run(world) {
      const database = await world.database();
      const mark = `escape-${randomBytes(6).toString("hex")}`;
      const names = [
        `../../../${mark}`,
        `..\\..\\${mark}`,
        `/tmp/${mark}`,
        `a/../../../../${mark}`,
        `%2e%2e%2f${mark}`,
        `${mark}\0.txt`,
      ];
      // Beyond what is kept in the database itself: these bytes become files.
      const body = Buffer.alloc(100_000, mark);
      for (const [index, name] of names.entries()) {
        const path = `/${database}/doc${index}/${encodeURIComponent(name)}`;
        await world.client.expect(201, "PUT", path, { body, headers: { "content-type": "application/octet-stream" } });
        assert.deepEqual((await world.client.expect(200, "GET", path)).bytes, body);
        const { _attachments } = (await world.client.expect(200, "GET", `/${database}/doc${index}`)).json();
        assert.deepEqual(Object.keys(_attachments), [name]);
      }
      if (!world.ownsProcess) return;
      const { dataDir } = world.process;
      for (const folder of [dataDir, join(dataDir, ".."), "/tmp", process.cwd()])
        assert.ok(!existsSync(join(folder, mark)));
      const files = readdirSync(dataDir, { recursive: true }).map(String);
      assert.deepEqual(
        files.filter((file) => file.includes(mark)),
        [],
      );
    },
  },
  {
    name: "CVE-2026-90799: another database's sequence is answered at once, and stops nobody from seeing what comes",
    only: "settee",
    because: "CouchDB's sequences name shards, and what becomes of another database's depends on where it has them",
    async run(world) {
      const [one, other] = [await world.database(), await world.database()];
      await world.write(
        one,
        Array.from({ length: 50 }, (_, index) => ({ _id: `d${index}` })),
      );
      await world.write(other, [{ _id: "a" }]);
      const { update_seq } = await world.info(one);
      await world.client.expect(200, "GET", `/${other}/_changes?since=${update_seq}`);
      const feed = await openFeed(world, `/${other}/_changes?feed=continuous&heartbeat=1000&since=${update_seq}`);
      await world.write(other, [{ _id: "b" }]);
      const lines = await feed.until(1);
      assert.equal(lines.at(-1)?.["id"], "b");
      feed.leave();
    },
  },
  {
    name: "nosniff on every kind of answer",
    only: "settee",
    because: "CouchDB never sends the header",
    async run(world) {
      const database = await world.database();
      const data = Buffer.from("an attachment").toString("base64");
      const [{ rev = "" } = {}] = await world.write(database, [
        { _id: "a", _attachments: { f: { content_type: "image/x", data } } },
      ]);
      const asks: readonly (readonly [status: number, ask: string, headers?: Readonly<Record<string, string>>])[] = [
        [200, "GET /"],
        [200, "HEAD /"],
        [200, `GET /${database}/a`],
        [304, `GET /${database}/a`, { "if-none-match": `"${rev}"` }],
        [200, `GET /${database}/a?attachments=true`, { accept: "multipart/related" }],
        [200, `GET /${database}/a?open_revs=all`, { accept: "multipart/mixed" }],
        [200, `GET /${database}/a/f`],
        [206, `GET /${database}/a/f`, { range: "bytes=1-2" }],
        [416, `GET /${database}/a/f`, { range: "bytes=99-" }],
        [200, `GET /${database}/_all_docs`],
        [200, `GET /${database}/_changes`],
        [200, `GET /${database}/_changes?feed=continuous&timeout=1`],
        [200, `GET /${database}/_changes?feed=eventsource&timeout=1`],
        [301, "GET /_utils"],
        [404, "GET /_utils/nowhere.html"],
        [404, "GET /favicon.ico"],
        [404, `GET /${database}/nowhere`],
        [404, "GET /_settee/nowhere"],
        [401, "GET /_session?basic=true", { authorization: "" }],
        [405, "PATCH /"],
        [400, "GET /%zz"],
        [202, `POST /${database}/_compact`, { "content-type": "application/json" }],
      ];
      for (const [status, ask, headers = {}] of asks) {
        const [method = "", path = ""] = ask.split(" ");
        const reply = await world.client.send(method, path, { headers });
        assert.equal(reply.status, status, `${ask}: ${reply.text}`);
        assert.equal(reply.headers["x-content-type-options"], "nosniff", ask);
      }
      const connection = await RawConnection.open(world.url);
      connection.send("what?\r\n\r\n");
      assert.equal((await connection.answer("GET"))?.headers["x-content-type-options"], "nosniff");
      connection.close();
    },
  },
];

export const securityShapes: Table = { family: "security-shapes", rows, scenarios };
