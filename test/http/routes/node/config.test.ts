import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { basic } from "../../../helpers/http-client.js";
import { startHttpWorld } from "../../../helpers/http-world.js";

const config = "/_node/_local/_config";

describe("_node/_local/_config", () => {
  it("shows all settings, a section, a value; as text, under either name of the node", async (t) => {
    const { client } = await startHttpWorld(t);
    const all = (await client.get(config)).json();
    for (const section of Object.values(all)) {
      for (const value of Object.values(section as object)) assert.equal(typeof value, "string");
    }
    assert.deepEqual((await client.get(`${config}/cors`)).json(), all.cors);
    assert.equal((await client.get("/_node/nonode%40nohost/_config/log/level")).json(), all.log.level);
    const elsewhere = await client.get("/_node/other@host/_config");
    assert.equal(elsewhere.status, 404);
    assert.equal(elsewhere.json().reason, "no such node: other@host");
  });

  it("changes what the next request meets", async (t) => {
    const { client } = await startHttpWorld(t);
    await client.expect(201, "PUT", "/notes");
    assert.equal((await client.put(`${config}/couchdb/max_document_size`, '"10"')).json(), "8000000");
    const refused = await client.put("/notes/a", { text: "more than ten bytes" });
    assert.equal(refused.status, 413);
    await client.expect(200, "DELETE", `${config}/couchdb/max_document_size`);
    await client.expect(201, "PUT", "/notes/a", { body: { text: "more than ten bytes" } });
  });

  it("takes the server out of and back into the rotation", async (t) => {
    const { client } = await startHttpWorld(t);
    for (const [mode, status, told] of [
      ["true", 404, "maintenance_mode"],
      ["nolb", 404, "nolb"],
      ["false", 200, "ok"],
    ] as const) {
      await client.expect(200, "PUT", `${config}/couchdb/maintenance_mode`, { body: JSON.stringify(mode) });
      const reply = await client.get("/_up");
      assert.equal(reply.status, status);
      assert.equal(reply.json().status, told);
    }
  });

  it("lets another origin in, as add-cors-to-couchdb asks for it", async (t) => {
    const { client } = await startHttpWorld(t, undefined, { config: { cors: { origins: [] } } });
    const origin = "https://app.example";
    const allowed = async () => (await client.get("/", { headers: { origin } })).headers["access-control-allow-origin"];
    assert.equal(await allowed(), undefined);
    for (const [path, value] of [
      ["httpd/enable_cors", "true"],
      ["cors/origins", "*"],
      ["cors/credentials", "true"],
      ["cors/methods", "GET, PUT, POST, HEAD, DELETE"],
      ["cors/headers", "accept, authorization, content-type, origin, referer, x-csrf-token"],
    ] as const) {
      await client.expect(200, "PUT", `/_node/nonode@nohost/_config/${path}`, { body: JSON.stringify(value) });
    }
    assert.equal(await allowed(), origin);
    const preflight = await client.send("OPTIONS", "/", {
      headers: { origin, "access-control-request-method": "PUT" },
    });
    assert.equal(preflight.headers["access-control-allow-methods"], "GET, PUT, POST, HEAD, DELETE");
    assert.match(String(preflight.headers["access-control-allow-headers"]), /x-csrf-token$/);
    await client.expect(200, "PUT", `${config}/chttpd/enable_cors`, { body: '"false"' });
    assert.equal(await allowed(), undefined);
  });

  it("says which attachments are compressed", async (t) => {
    const { client } = await startHttpWorld(t);
    await client.expect(201, "PUT", "/notes");
    const put = async (name: string, type: string) => {
      await client.expect(201, "PUT", `/notes/${name}/f`, {
        body: "text ".repeat(100),
        headers: { "content-type": type },
      });
      return (await client.get(`/notes/${name}?att_encoding_info=true`)).json()._attachments.f.encoding;
    };
    assert.deepEqual([await put("a", "text/plain"), await put("b", "image/svg+xml")], ["gzip", undefined]);
    await client.expect(200, "PUT", `${config}/attachments/compressible_types`, { body: '"image/*, text/css"' });
    assert.deepEqual([await put("c", "text/plain"), await put("d", "image/svg+xml")], [undefined, "gzip"]);
    await client.expect(200, "PUT", `${config}/attachments/compression_level`, { body: '"0"' });
    assert.equal(await put("e", "text/css"), undefined);
    for (const [key, value] of [
      ["compressible_types", "text"],
      ["compression_level", "10"],
    ]) {
      await client.expect(400, "PUT", `${config}/attachments/${key}`, { body: JSON.stringify(value) });
    }
  });

  it("does not let anybody name programs", async (t) => {
    const { client } = await startHttpWorld(t);
    for (const section of ["query_servers", "native_query_servers", "daemons", "os_daemons", "external"]) {
      const reply = await client.put(`${config}/${section}/javascript`, '"/bin/sh"');
      assert.deepEqual([reply.status, reply.json().error], [403, "forbidden"], section);
    }
  });

  it("gives out ids by another algorithm", async (t) => {
    const { client } = await startHttpWorld(t);
    await client.expect(200, "PUT", `${config}/uuids/algorithm`, { body: '"utc_id"' });
    await client.expect(200, "PUT", `${config}/uuids/utc_id_suffix`, { body: '"-east"' });
    await client.expect(200, "PUT", `${config}/uuids/max_count`, { body: '"2"' });
    const { uuids } = (await client.get("/_uuids?count=2")).json();
    for (const uuid of uuids) assert.match(uuid, /^[0-9a-f]{14}-east$/);
    assert.equal((await client.get("/_uuids?count=3")).status, 400);
    await client.expect(201, "PUT", "/notes");
    assert.match((await client.post("/notes", {})).json().id, /-east$/);
  });

  it("is for server administrators", async (t) => {
    const { client } = await startHttpWorld(t);
    for (const [method, path] of [
      ["GET", config],
      ["GET", `${config}/log`],
      ["GET", `${config}/log/level`],
      ["PUT", `${config}/log/level`],
      ["DELETE", `${config}/log/level`],
      ["PUT", `${config}/admins/eve`],
      ["POST", `${config}/_reload`],
    ] as const) {
      const reply = await client.send(method, path, {
        authorization: null,
        body: method === "PUT" ? '"debug"' : undefined,
      });
      assert.equal(reply.status, 401, `${method} ${path}`);
    }
    assert.deepEqual((await client.send("POST", `${config}/_reload`)).json(), { ok: true });
  });
});

describe("_config/admins", () => {
  it("makes and removes administrators, and never shows a password or a hash", async (t) => {
    const { client } = await startHttpWorld(t);
    const bob = basic("bob", "a-password-of-bob");
    const as = async (authorization: string) => (await client.get("/_all_dbs", { authorization })).status;
    assert.equal((await client.put(`${config}/admins/bob`, '"a-password-of-bob"')).json(), "");
    assert.equal(await as(bob), 200);
    assert.equal((await client.get(`${config}/admins/bob`)).json(), "****");
    assert.deepEqual((await client.get(`${config}/admins`)).json(), { admin: "****", bob: "****" });
    assert.doesNotMatch((await client.get(config)).text, /pbkdf2|a-password/);
    assert.equal((await client.put(`${config}/admins/bob`, '"another"')).json(), "****");
    assert.equal(await as(bob), 401);
    assert.equal((await client.send("DELETE", `${config}/admins/bob`)).json(), "****");
    assert.equal(await as(basic("bob", "another")), 401);
    assert.equal((await client.send("DELETE", `${config}/admins/bob`)).status, 404);
  });

  it("takes no names and no passwords that are none", async (t) => {
    const { client } = await startHttpWorld(t);
    for (const name of ["_bob", "b%3Ab", "b%0Ab", "b%00b"]) {
      assert.equal((await client.put(`${config}/admins/${name}`, '"x"')).status, 400, name);
    }
    for (const value of ['""', "1", "null", '"-pbkdf2-x"', '"-hashed-a,b"']) {
      assert.equal((await client.put(`${config}/admins/bob`, value)).status, 400, value);
    }
    assert.deepEqual((await client.get(`${config}/admins`)).json(), { admin: "****" });
    assert.equal((await client.put(`${config}/admins/admin`, '"x"')).status, 403, "the configured one");
  });
});
