import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import type { ConfigInput } from "../../../server/config.js";
import { newDevice, remoteDatabase } from "../../helpers/pouchdb-device.js";
import { password, startSharedServer } from "../../helpers/shared-server.js";

async function start(t: TestContext, quotas: ConfigInput["quotas"]) {
  const server = await startSharedServer({}, { quotas });
  t.after(() => server.close());
  const ada = await server.as("ada");
  const used = async (kind: "documents" | "bytes" | "databases") =>
    (await ada.get("/_settee/me")).json().quota[kind] as { readonly used: number; readonly limit: number | null };
  return { ...server, ada, used };
}

const note = (text = "") => ({ type: "note", text });

describe("a quota of documents", () => {
  it("is summed over all of a user's databases, with limit and use in the refusal", async (t) => {
    // A design document in each of the two is counted as well.
    const { ada, name, used } = await start(t, { documents: 5 });
    await ada.expect(201, "PUT", "/_me/one", { body: note() });
    await ada.expect(201, "PUT", `/${name}/two`, { body: note() });
    await ada.expect(201, "PUT", `/${name}/three`, { body: note() });
    assert.deepEqual(await used("documents"), { used: 5, limit: 5 });
    for (const [method, path, body] of [
      ["PUT", "/_me/four", note()],
      ["POST", `/${name}`, note()],
      ["PUT", `/${name}/four?new_edits=false`, { ...note(), _rev: "1-a" }],
    ] as const) {
      const reply = await ada.send(method, path, { body });
      assert.equal(reply.status, 507, reply.text);
      const { error, reason, quota } = reply.json();
      assert.equal(error, "insufficient_storage");
      assert.equal(reason, "The quota of ada is 5 documents: 5 are used, and this needs 1 more.");
      assert.deepEqual(quota, { documents: { used: 5, limit: 5 } });
    }
    const { headers } = { headers: { destination: "five" } };
    assert.equal((await ada.send("COPY", `/${name}/two`, { headers })).status, 507);
  });

  it("leaves edits and deletions, by which a device comes back below it", async (t) => {
    const { ada, name, used } = await start(t, { documents: 3 });
    const { rev } = (await ada.expect(201, "PUT", `/${name}/one`, { body: note("first") })).json();
    const edited = (await ada.expect(201, "PUT", `/${name}/one?rev=${rev}`, { body: note("second") })).json();
    const bulk = await ada.post(`/${name}/_bulk_docs`, {
      docs: [
        { _id: "two", ...note() },
        { _id: "one", _rev: edited.rev, _deleted: true },
      ],
    });
    const rows = bulk.json() as readonly { ok?: boolean; error?: string }[];
    assert.deepEqual(
      rows.map(({ ok, error }) => ok ?? error),
      [true, true],
    );
    assert.equal((await used("documents")).used, 3);
  });

  it("is the owner's, whoever writes; server administrators write past it", async (t) => {
    const { ada, admin, as, name } = await start(t, { documents: 2 });
    const bob = await as("bob");
    await ada.expect(200, "PUT", `/_settee/databases/${name}/members/bob`, { body: { role: "writer" } });
    assert.equal((await bob.put(`/${name}/one`, note())).status, 507);
    await bob.expect(201, "PUT", "/_me/one", { body: note() });
    await admin.expect(201, "PUT", `/${name}/one`, { body: note() });
  });

  it("is kept by writes that come all at once", async (t) => {
    const { ada, name, used } = await start(t, { documents: 12 });
    const replies = await Promise.all(Array.from({ length: 40 }, (_, i) => ada.put(`/${name}/note-${i}`, note())));
    const statuses = replies.map(({ status }) => status);
    assert.equal(statuses.filter((status) => status === 201).length, 10, String(statuses));
    assert.equal((await used("documents")).used, 12);
  });
});

describe("a quota of bytes", () => {
  const big = "x".repeat(4000);

  it("counts attachments, and refuses an upload before it is received", async (t) => {
    const { ada, name } = await start(t, { bytes: 10_000 });
    const headers = { "content-type": "application/octet-stream" };
    const [a, b] = await Promise.all(
      ["a", "b"].map((id) => ada.expect(201, "PUT", `/${name}/${id}`, { body: note() })),
    );
    const path = `/${name}/a/file?rev=${a?.json().rev}`;
    const { rev } = (await ada.expect(201, "PUT", path, { body: Buffer.alloc(6000), headers })).json();
    const other = `/${name}/b/file?rev=${b?.json().rev}`;
    const again = await ada.send("PUT", other, { body: Buffer.alloc(6000), headers });
    assert.equal(again.status, 507, again.text);
    assert.match(again.json().reason, /^The quota of ada is 10000 bytes: \d+ are used, and this needs 6000 more\.$/);
    // In place of the old one there is room for it.
    await ada.expect(201, "PUT", `/${name}/a/file?rev=${rev}`, { body: Buffer.alloc(6500), headers });
    assert.equal((await ada.get(other)).status, 404);
  });

  it("answers 413 for one thing that is larger than all of it", async (t) => {
    const { ada, name } = await start(t, { bytes: 10_000 });
    const reply = await ada.put(`/${name}/huge`, note("x".repeat(11_000)));
    assert.deepEqual([reply.status, reply.json().error], [413, "document_too_large"]);
    assert.match(reply.json().reason, /the quota of ada is 10000\.$/);
  });

  it("counts what an edit adds, and takes back what goes", async (t) => {
    const { ada, name, used } = await start(t, { bytes: 10_000 });
    const before = (await used("bytes")).used;
    const first = (await ada.expect(201, "PUT", `/${name}/a`, { body: note(big) })).json();
    assert.equal((await ada.put(`/${name}/b`, note(big))).status, 507);
    // The same size again is nothing more.
    const second = (await ada.expect(201, "PUT", `/${name}/a?rev=${first.rev}`, { body: note(`${big}y`) })).json();
    await ada.expect(200, "DELETE", `/${name}/a?rev=${second.rev}`);
    assert.ok((await used("bytes")).used < before + 100);
    await ada.expect(201, "PUT", `/${name}/b`, { body: note(big) });
  });

  it("counts local documents, but leaves room for checkpoints", async (t) => {
    const { ada, name, used } = await start(t, { bytes: 8000 });
    const before = (await used("bytes")).used;
    await ada.expect(201, "PUT", `/${name}/_local/mark`, { body: { text: big } });
    assert.ok((await used("bytes")).used >= before + 4000);
    assert.equal((await ada.put(`/${name}/a`, note(big))).status, 507);
    await ada.expect(201, "PUT", `/${name}/_local/another`, { body: { last_seq: 1 } });
    assert.equal((await ada.put(`/${name}/_local/large`, { text: "x".repeat(7000 + 16 * 1024) })).status, 413);
    await ada.expect(200, "DELETE", `/${name}/_local/mark`);
    await ada.expect(201, "PUT", `/${name}/a`, { body: note("x".repeat(1000)) });
  });

  it("takes no deletion that is none", async (t) => {
    const { ada, name } = await start(t, { bytes: 5000 });
    const { rev } = (await ada.expect(201, "PUT", `/${name}/a`, { body: note("a") })).json();
    const reply = await ada.put(`/${name}/a`, { ...note(big), _rev: rev, _deleted: true });
    assert.equal(reply.status, 507, reply.text);
  });
});

describe("limits", () => {
  it("of databases refuse one more", async (t) => {
    const { ada, used } = await start(t, { databases: 3 });
    const body = { template: "shared", kind: "private" };
    await ada.expect(201, "POST", "/_settee/databases", { body });
    const reply = await ada.post("/_settee/databases", body);
    assert.deepEqual([reply.status, reply.json().reason], [507, "The quota of ada is 3 databases, and 3 are there."]);
    assert.deepEqual(await used("databases"), { used: 3, limit: 3 });
  });

  it("are others for a role, and for one account, which nobody gives themselves", async (t) => {
    const { ada, admin, name, used } = await start(t, { documents: 2, byRole: { paying: { documents: 4 } } });
    assert.equal((await ada.put(`/${name}/one`, note())).status, 507);
    const path = "/_users/org.couchdb.user:ada";
    const change = async (members: object): Promise<void> => {
      const document = (await admin.get(path)).json();
      await admin.expect(201, "PUT", path, { body: { ...document, ...members } });
    };
    await change({ roles: ["paying"] });
    await ada.expect(201, "PUT", `/${name}/one`, { body: note() });
    assert.deepEqual(await used("documents"), { used: 3, limit: 4 });
    await change({ quota: { documents: null } });
    assert.equal((await used("documents")).limit, null);
    for (let i = 0; i < 5; i++) await ada.expect(201, "PUT", `/${name}/more-${i}`, { body: note() });
    const mine = (await ada.get(path)).json();
    const { status } = await ada.put(path, { ...mine, quota: { documents: 1_000_000 } });
    assert.ok([401, 403].includes(status), String(status));
  });

  it("hold for whom a database is given to", async (t) => {
    const { ada, as, name } = await start(t, { documents: 4, databases: 2 });
    const bob = await as("bob");
    await ada.expect(200, "PUT", `/_settee/databases/${name}/members/bob`, { body: { role: "writer" } });
    await bob.expect(201, "PUT", "/_me/one", { body: note() });
    await bob.expect(201, "PUT", "/_me/two", { body: note() });
    await ada.expect(201, "PUT", `/${name}/one`, { body: note() });
    const transfer = () => ada.post(`/_settee/databases/${name}/transfer`, { to: "bob" });
    assert.equal((await transfer()).status, 507);
    const { _rev } = (await bob.get("/_me/two")).json();
    await bob.expect(200, "DELETE", `/_me/two?rev=${_rev}`);
    assert.equal((await transfer()).status, 200);
    assert.equal((await bob.put("/_me/three", note())).status, 507);
    await ada.expect(201, "PUT", "/_me/mine", { body: note() });
  });
});

describe("PouchDB over quota", () => {
  it("fails without losing anything, deletes, and goes on", async (t) => {
    const { url, name } = await start(t, { documents: 5 });
    const device = newDevice();
    const remote = remoteDatabase(`${url}/${name}`, "ada", password);
    for (let i = 0; i < 6; i++) await device.put({ _id: `note-${i}`, ...note() });
    await assert.rejects(device.replicate.to(remote));
    for (let i = 0; i < 4; i++) {
      const { _id, _rev } = await device.get(`note-${i}`);
      await device.remove(_id, _rev);
    }
    const result = await device.replicate.to(remote);
    assert.ok(result.ok);
    const { rows } = await remote.allDocs();
    assert.deepEqual(
      rows.map(({ id }) => id).filter((id) => id.startsWith("note")),
      ["note-4", "note-5"],
    );
  });
});
