import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { RuntimeConfig } from "../../server/config/runtime-config.js";
import { ConfigError, type ConfigInput, completeConfig } from "../../server/config.js";
import { refused } from "../helpers/gateway-world.js";
import { type Cleanup, temporaryDirectory } from "../helpers/temp-store.js";

const uuid = "0123456789abcdef0123456789abcdef";
const secret = "a-secret-of-the-operator";

function openIn(dataDir: string, input: ConfigInput = {}): RuntimeConfig {
  return RuntimeConfig.open(completeConfig({ ...input, dataDir, secret }), { uuid });
}

function open(t: Cleanup): { readonly dataDir: string; readonly config: RuntimeConfig; readonly file: string } {
  const dataDir = temporaryDirectory(t);
  return { dataDir, config: openIn(dataDir), file: join(dataDir, "runtime-config.json") };
}

describe("a setting that is changed at run time", () => {
  it("is in force at once, and answers the value before", async (t) => {
    const { config } = open(t);
    const heard: number[] = [];
    config.subscribe(({ limits }) => heard.push(limits.maxDocumentSize));
    assert.equal(config.get("couchdb", "max_document_size"), "8000000");
    assert.equal(await config.set("couchdb", "max_document_size", "1000"), "8000000");
    assert.equal(config.current.limits.maxDocumentSize, 1000);
    assert.equal(config.current.limits.maxAttachmentSize, 1024 ** 3, "its neighbours stay");
    assert.equal(await config.set("couchdb", "max_document_size", " 2000 "), "1000");
    assert.equal(config.get("couchdb", "max_document_size"), "2000");
    assert.deepEqual(heard, [1000, 2000]);
  });

  it("is kept over a restart, for its owner alone, until it is deleted", async (t) => {
    const { dataDir, config, file } = open(t);
    await config.set("cors", "origins", "https://a.example, app://obsidian.md");
    await config.set("log", "level", "notice");
    assert.equal(statSync(file).mode & 0o777, 0o600);
    const again = openIn(dataDir, { cors: { origins: ["https://b.example"] } });
    assert.deepEqual(again.current.cors.origins, ["https://a.example", "app://obsidian.md"]);
    assert.equal(again.current.logLevel, "info");
    assert.equal(again.get("log", "level"), "notice");
    assert.equal(await again.remove("cors", "origins"), "https://a.example, app://obsidian.md");
    assert.equal(again.get("cors", "origins"), "https://b.example");
    assert.deepEqual(openIn(dataDir).current.cors.origins, ["localhost"]);
    assert.deepEqual(readdirSync(dataDir), ["runtime-config.json"], "no drafts are left");
  });

  it("is forgotten at a restart or a reload when it was not to be kept", async (t) => {
    const { dataDir, config } = open(t);
    await config.set("uuids", "algorithm", "utc_random", { kept: false });
    await config.set("chttpd_auth", "timeout", "60");
    assert.equal(config.current.uuids.algorithm, "utc_random");
    assert.equal(openIn(dataDir).current.uuids.algorithm, "sequential");
    await config.reload();
    assert.equal(config.current.uuids.algorithm, "sequential");
    assert.equal(config.current.sessionTimeout, 60);
  });

  it("may be changed by several at once", async (t) => {
    const { dataDir, config } = open(t);
    const sizes = ["1", "2", "3", "4"];
    const before = await Promise.all(sizes.map((size) => config.set("couchdb", "max_document_size", size)));
    assert.deepEqual(before, ["8000000", "1", "2", "3"]);
    assert.equal(openIn(dataDir).current.limits.maxDocumentSize, 4);
  });

  it("is understood by its section's former name", async (t) => {
    const { config } = open(t);
    await config.set("couch_httpd_auth", "timeout", "120");
    await config.set("httpd", "enable_cors", "false");
    assert.equal(config.get("chttpd_auth", "timeout"), "120");
    assert.equal(config.current.cors.enabled, false);
    assert.equal(config.section("couch_httpd_auth")["timeout"], "120");
  });
});

describe("what cannot be set", () => {
  const bad: readonly (readonly [section: string, key: string, value: string])[] = [
    ["couchdb", "max_document_size", "0"],
    ["couchdb", "max_document_size", "1e3"],
    ["couchdb", "max_document_size", ""],
    ["couchdb", "maintenance_mode", "maybe"],
    ["log", "level", "loud"],
    ["log", "level", "constructor"],
    ["chttpd", "enable_cors", "toString"],
    ["uuids", "algorithm", "md5"],
    ["uuids", "utc_id_suffix", "a b"],
    ["cors", "origins", "https://a.example/path"],
    ["cors", "methods", "GET, P[T"],
    ["couchdb", "no_such_key", "1"],
    ["no_such_section", "a", "1"],
    ["__proto__", "polluted", "1"],
    ["couchdb", "__proto__", "1"],
  ];
  for (const [section, key, value] of bad) {
    it(`${section}/${key} = ${JSON.stringify(value)}`, async (t) => {
      const { config, dataDir } = open(t);
      const before = config.sections();
      await assert.rejects(config.set(section, key, value), refused("bad_request"));
      assert.deepEqual(config.sections(), before);
      assert.deepEqual(readdirSync(dataDir), []);
      assert.equal(({} as Record<string, unknown>)["polluted"], undefined);
    });
  }

  for (const value of ["a\nb = c", "a\r\n[admins]\r\neve = x", "a\0b", "a\u2028b"]) {
    it(`${JSON.stringify(value)}, anywhere`, async (t) => {
      const { config } = open(t);
      for (const [section, keys] of Object.entries(config.sections())) {
        for (const key of Object.keys(keys))
          await assert.rejects(config.set(section, key, value), refused("bad_request"));
      }
    });
  }

  it("what is decided at the start, and what is always so; writing what is so already is fine", async (t) => {
    const { config } = open(t);
    for (const [section, key] of [
      ["chttpd", "port"],
      ["chttpd", "bind_address"],
      ["couchdb", "uuid"],
      ["couchdb", "database_dir"],
      ["cors", "credentials"],
    ] as const) {
      const value = config.get(section, key) as string;
      assert.equal(await config.set(section, key, value), value);
      await assert.rejects(config.set(section, key, `${value}1`), refused("forbidden"));
      await assert.rejects(config.remove(section, key), refused("forbidden"));
    }
    assert.equal(config.get("couchdb", "uuid"), uuid);
    await assert.rejects(config.remove("couchdb", "no_such_key"), refused("not_found"));
    assert.equal(config.get("couchdb", "no_such_key"), undefined);
    assert.deepEqual(config.section("no_such_section"), {});
    assert.deepEqual(config.section("constructor"), {});
  });
});

describe("secrets", () => {
  it("are never shown", async (t) => {
    const { config, file } = open(t);
    await config.set("log", "level", "info");
    assert.equal(config.get("chttpd_auth", "secret"), "****");
    assert.doesNotMatch(JSON.stringify(config.sections()), new RegExp(secret));
    assert.doesNotMatch(readFileSync(file, "utf8"), new RegExp(secret));
    await assert.rejects(config.set("chttpd_auth", "secret", "another-secret-of-mine"), refused("forbidden"));
  });
});

describe("a file that cannot be understood", () => {
  for (const [what, text] of [
    ["no JSON", "[log]\nlevel = info"],
    ["no sections", '{"log": "info"}'],
    ["null", "null"],
    ["an unknown setting", '{"log": {"file": "/etc/passwd"}}'],
    ["one that is fixed", '{"chttpd": {"port": "80"}}'],
    ["a value that cannot be", '{"log": {"level": "loud"}}'],
    ["a value that is no text", '{"couchdb": {"max_document_size": 5}}'],
  ] as const) {
    it(`stops the start: ${what}`, async (t) => {
      const { dataDir, config, file } = open(t);
      writeFileSync(file, text);
      assert.throws(
        () => openIn(dataDir),
        (error) => error instanceof ConfigError && error.message.startsWith(file),
      );
      // A server that runs keeps what it has.
      await assert.rejects(config.reload(), refused("bad_request"));
      assert.equal(config.current.logLevel, "info");
    });
  }
});
