import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { request } from "node:http";
import { test } from "node:test";
import { basic } from "../../helpers/http-client.js";
import { startSetteeHere } from "../../helpers/settee-here.js";

const password = "long enough";

/** Names and contents of a zip file whose entries are stored, not compressed. */
function unzipped(zip: Buffer): ReadonlyMap<string, Buffer> {
  const entries = new Map<string, Buffer>();
  const end = zip.lastIndexOf(Buffer.from("PK\x05\x06", "latin1"));
  let at = zip.readUInt32LE(end + 16);
  for (let left = zip.readUInt16LE(end + 10); left > 0; left--) {
    assert.equal(zip.toString("latin1", at, at + 4), "PK\x01\x02");
    assert.equal(zip.readUInt16LE(at + 10), 0, "stored");
    const [size, nameLength, extra, comment, start] = [
      zip.readUInt32LE(at + 20),
      zip.readUInt16LE(at + 28),
      zip.readUInt16LE(at + 30),
      zip.readUInt16LE(at + 32),
      zip.readUInt32LE(at + 42),
    ];
    const name = zip.toString("utf8", at + 46, at + 46 + nameLength);
    const data = start + 30 + zip.readUInt16LE(start + 26) + zip.readUInt16LE(start + 28);
    entries.set(name, zip.subarray(data, data + size));
    at += 46 + nameLength + extra + comment;
  }
  return entries;
}

test("everything that a user has is in one file, and nothing of others or of secrets", async (t) => {
  const here = await startSetteeHere();
  t.after(() => here.close());
  for (const name of ["ada", "bob"])
    await here.client.expect(201, "POST", "/_settee/signup", { body: { name, password } });
  const as = { authorization: basic("ada", password) };
  const { rev } = (await here.client.put("/_me/a%2F..%2Fb", { type: "note", text: "ä\n" }, as)).json();
  const picture = randomBytes(300_000);
  const headers = { "content-type": "image/png" };
  await here.client.expect(201, "PUT", `/_me/a%2F..%2Fb/..%2Fp.png?rev=${rev}`, { body: picture, headers, ...as });
  await here.client.put("/_me/..", { type: "note" }, as);
  const conflict = [1, 2].map((n) => ({ _id: "c", _rev: `1-${String(n).repeat(32)}`, type: "note", n }));
  await here.client.post("/_me/_bulk_docs", { docs: conflict, new_edits: false }, as);
  const gone = (await here.client.put("/_me/gone", { type: "note" }, as)).json();
  await here.client.expect(200, "DELETE", `/_me/gone?rev=${gone.rev}`, as);
  await here.client.put("/_me", undefined, { authorization: basic("bob", password) });

  const reply = await here.client.get("/_settee/account/export", as);
  assert.deepEqual([reply.status, reply.headers["content-type"]], [200, "application/zip"]);
  const entries = unzipped(reply.bytes);
  const documents = (entries.get("databases/userdb-616461/documents.ndjson") ?? Buffer.alloc(0)).toString();
  const lines = documents
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    lines.filter(({ _id }) => !_id.startsWith("_design/")).map(({ _id }) => _id),
    ["..", "a/../b", "c", "c"],
  );
  const note = lines.find(({ _id }) => _id === "a/../b");
  assert.equal(note.text, "ä\n");
  assert.equal(note._attachments["../p.png"].length, picture.length);
  assert.equal(note._revisions.start, 2);
  const file = `databases/userdb-616461/attachments/a%2F..%2Fb/${note._rev}/..%2Fp.png`;
  assert.ok(entries.get(file)?.equals(picture), [...entries.keys()].join());
  for (const name of entries.keys()) assert.ok(!name.split("/").some((part) => part === ".." || part === "."), name);
  const account = JSON.parse(String(entries.get("account.json")));
  assert.deepEqual([account.name, account.derived_key, account.salt], ["ada", undefined, undefined]);
  assert.equal(JSON.parse(String(entries.get("activity.json")))[0].kind, "exported");
  assert.equal(reply.bytes.includes("userdb-626f62"), false);
  assert.equal((await here.client.get("/_settee/account/export")).status, 401);
});

test("an export is made while it is sent: its size is not the server's memory", async (t) => {
  const here = await startSetteeHere();
  t.after(() => here.close());
  await here.client.expect(201, "POST", "/_settee/signup", { body: { name: "ada", password } });
  const as = { authorization: basic("ada", password) };
  const chunk = randomBytes(24 * 1024 * 1024);
  for (let n = 0; n < 8; n++) {
    const headers = { "content-type": "application/octet-stream" };
    const { rev } = (await here.client.put(`/_me/d${n}`, { type: "file" }, as)).json();
    await here.client.expect(201, "PUT", `/_me/d${n}/x.bin?rev=${rev}`, { body: chunk, headers, ...as });
  }
  const expected = createHash("md5").update(chunk).digest("hex");
  globalThis.gc?.();
  const before = process.memoryUsage().rss;
  const { bytes, most, hash } = await slowly(`${here.url}/_settee/account/export`, as.authorization, chunk);
  assert.ok(bytes > 8 * chunk.length);
  assert.equal(hash, expected);
  assert.ok(most - before < 80 * 1024 * 1024, `${(most - before) / 2 ** 20} MB`);
});

/** Reads and forgets: the total, the most memory meanwhile, and the MD5 of the first attachment. */
function slowly(url: string, authorization: string, chunk: Buffer) {
  return new Promise<{ bytes: number; most: number; hash: string }>((resolve, reject) => {
    const sent = request(url, { headers: { authorization } }, (reply) => {
      let [bytes, most, head] = [0, 0, Buffer.alloc(0)];
      const hash = createHash("md5");
      let left = -1;
      reply.on("data", (data: Buffer) => {
        bytes += data.length;
        most = Math.max(most, process.memoryUsage().rss);
        if (left < 0) {
          head = Buffer.concat([head, data]);
          const at = head.indexOf(chunk.subarray(0, 32));
          if (at < 0) return;
          data = head.subarray(at);
          left = chunk.length;
        }
        hash.update(data.subarray(0, Math.min(left, data.length)));
        left = Math.max(0, left - data.length);
      });
      reply.on("end", () => resolve({ bytes, most, hash: hash.digest("hex") }));
      reply.on("error", reject);
    });
    sent.on("error", reject).end();
  });
}
