import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { parseDatabaseName } from "../../../protocol/ids.js";
import type { Database } from "../../../server/documents/database.js";
import { basic } from "../../helpers/http-client.js";
import { type HttpWorld, type HttpWorldOptions, startHttpWorld } from "../../helpers/http-world.js";
import type { Cleanup } from "../../helpers/temp-store.js";

const ada = { name: "ada", password: "long enough" };
const asAda = basic(ada.name, ada.password);

/** A database `notes` of which ada is a member. */
async function startNotes(
  t: Cleanup,
  options: HttpWorldOptions = {},
): Promise<HttpWorld & { readonly database: Database }> {
  const world = await startHttpWorld(t, undefined, options);
  await world.gateway.signUp(ada);
  const database = await world.databases.create(parseDatabaseName("notes"));
  await database.setSecurity({ members: { names: [ada.name] }, admins: { names: ["bob"] } });
  return { ...world, database };
}

const copy = (destination: string, authorization = asAda) => ({ headers: { destination }, authorization });

describe("COPY", () => {
  test("shares the attachments of the source, which may go", async (t) => {
    const { client, database, dataDir } = await startNotes(t);
    const large = Buffer.alloc(40_000, "large");
    const headers = { "content-type": "image/png" };
    const put = await client.expect(201, "PUT", "/notes/a/large.png", { body: large, headers });
    const text = "compressed ".repeat(3000);
    const rev = put.json().rev;
    const second = await client.expect(201, "PUT", `/notes/a/text.txt?rev=${rev}`, {
      body: text,
      headers: { "content-type": "text/plain" },
    });
    await client.expect(201, "COPY", "/notes/a", copy("b"));
    await client.expect(200, "DELETE", `/notes/a?rev=${second.json().rev}`);
    await database.compact();
    assert.deepEqual((await client.expect(200, "GET", "/notes/b/large.png")).bytes, large);
    assert.equal((await client.expect(200, "GET", "/notes/b/text.txt")).text, text);
    assert.equal(readdirSync(join(dataDir, "blobs", String(database.number))).length, 1, "one file for one content");
  });

  test("onto a document that is there dates its attachments anew, so that a peer that has that document is sent them", async (t) => {
    const { client } = await startNotes(t);
    await client.expect(201, "PUT", "/notes/a/f", { body: "x", headers: { "content-type": "text/plain" } });
    const { rev } = (await client.put("/notes/b", { v: 1 })).json();
    await client.expect(201, "COPY", "/notes/a", copy(`b?rev=${rev}`));
    const { _attachments } = (await client.get("/notes/b")).json();
    assert.equal(_attachments.f.revpos, 2);
  });

  test("onto a design document is for administrators of the database, as writing it is", async (t) => {
    const { client, database } = await startNotes(t);
    await client.put("/notes/a", { views: {} });
    const refused = await client.send("COPY", "/notes/a", copy("_design/d"));
    assert.equal(refused.status, 403);
    assert.equal(database.find("_design/d"), undefined);
    await client.expect(201, "COPY", "/notes/a", { headers: { destination: "_design/d" } });
    await client.expect(201, "COPY", "/notes/_design/d", copy("plain"));
  });

  test("is judged by validate_doc_update as what it becomes", async (t) => {
    const seen: unknown[] = [];
    const { client } = await startNotes(t, {
      validate: async ({ calls }) =>
        calls.map(({ newDoc, oldDoc }) => {
          seen.push([JSON.parse(newDoc)._id, oldDoc]);
          return JSON.parse(newDoc)._id === "b" ? { error: "forbidden", status: 403, reason: "not b" } : null;
        }),
    });
    await client.put("/notes/_design/d", { validate_doc_update: "function () {}" });
    await client.expect(201, "PUT", "/notes/a", { body: { v: 1 } });
    const refused = await client.send("COPY", "/notes/a", copy("b"));
    assert.deepEqual([refused.status, refused.json()], [403, { error: "forbidden", reason: "not b" }]);
    await client.expect(201, "COPY", "/notes/a", copy("c"));
    assert.deepEqual(seen, [
      ["a", null],
      ["b", null],
      ["c", null],
    ]);
  });

  test("reads the name of its destination in UTF-8, plain or escaped, and refuses what is neither", async (t) => {
    const { client } = await startNotes(t);
    await client.put("/notes/a", {});
    const plain = Buffer.from("é").toString("latin1");
    assert.equal((await client.expect(201, "COPY", "/notes/a", copy(plain))).json().id, "é");
    assert.equal((await client.expect(201, "COPY", "/notes/a", copy("a%3Fb"))).json().id, "a?b");
    for (const bad of ["a%zz", "%ff", "b?x", "b?rev", "b?rev=", "https://elsewhere/notes/b"]) {
      const { error } = (await client.expect(400, "COPY", "/notes/a", copy(bad))).json();
      assert.equal(error, "bad_request", bad);
    }
  });

  test("of somebody who is no member is refused", async (t) => {
    const { client, gateway } = await startNotes(t);
    await gateway.signUp({ name: "eve", password: "long enough" });
    await client.put("/notes/a", {});
    await client.expect(403, "COPY", "/notes/a", copy("b", basic("eve", "long enough")));
  });
});
