import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { type Config, ConfigError, completeConfig, loadConfig } from "../server/config.js";

const folder = mkdtempSync(join(tmpdir(), "settee-config-"));
after(() => rmSync(folder, { recursive: true, force: true }));

let folders = 0;
/** A working directory of its own, with a configuration file when there is something to put into it. */
function workingDirectory(file?: unknown): string {
  const directory = join(folder, String(folders++));
  mkdirSync(directory);
  if (file !== undefined) {
    writeFileSync(join(directory, "settee.config.json"), typeof file === "string" ? file : JSON.stringify(file));
  }
  return directory;
}

function load(environment: NodeJS.ProcessEnv, file?: unknown): Config {
  return loadConfig(environment, workingDirectory(file));
}

describe("the configuration", () => {
  test("is complete without any setting", () => {
    const directory = workingDirectory();
    const { cors, ...others } = loadConfig({ PATH: "/bin" }, directory);
    assert.deepEqual([cors.enabled, cors.origins], [true, ["localhost"]]);
    assert.ok(cors.methods.includes("COPY") && cors.headers.includes("authorization"));
    assert.deepEqual(others, {
      host: "127.0.0.1",
      port: 5984,
      dataDir: join(directory, "data"),
      backend: "embedded",
      logLevel: "info",
      passwordIterations: 600_000,
      attachments: {
        types: ["text/*", "application/javascript", "application/json", "application/xml"],
        level: 8,
      },
      forwarded: { host: "X-Forwarded-Host", proto: "X-Forwarded-Proto", ssl: "X-Forwarded-Ssl" },
      decodePlusToSpace: true,
      accounts: {
        signUp: "open",
        requireEmail: false,
        requireVerifiedEmail: false,
        minPasswordLength: 8,
        anonymous: true,
        magicLinks: true,
        deleteDatabases: true,
        verifyEmailHours: 48,
        resetPasswordMinutes: 60,
        magicLinkMinutes: 15,
        links: {},
        usersSecurityEditable: false,
        totpIssuer: "Settee",
      },
      mail: { from: "Settee <settee@localhost>", locale: "en", perAddressPerHour: 10 },
      uuids: { algorithm: "sequential", utcIdSuffix: "", maxCount: 1000 },
      maintenanceMode: "false",
      compaction: { garbagePercent: 50, garbageBytes: 1_048_576 },
      sandbox: { timeout: 5_000, validationTimeout: 500, memoryLimit: 67_108_864 },
      replicator: {
        maxJobs: 500,
        interval: 60_000,
        maxChurn: 20,
        startupJitter: 5000,
        allowedAddresses: [],
        roles: ["replicator"],
      },
      limits: {
        maxDocumentSize: 8_000_000,
        maxAttachmentSize: 1_073_741_824,
        maxHttpRequestSize: 4_294_967_296,
        maxUriLength: 8000,
      },
      sharing: { invitationDays: 7, trashDays: 14 },
      quotas: { documents: null, bytes: null, databases: 100, byRole: {} },
      sessionTimeout: 600,
      tokens: {
        algorithm: "HS256",
        issuer: "settee",
        audience: "settee",
        accessSeconds: 900,
        refreshDays: 90,
        byRole: {},
      },
      cookies: { secure: false },
      lockOut: { mode: "enforce", threshold: 5, maxLifetime: 300_000, maxObjects: 10_000 },
      jwtIssuers: [],
      oidc: { providers: {}, redirects: [] },
      proxies: { trusted: [], header: "x-forwarded-for" },
      changesTimeout: 60_000,
    });
  });

  test("is read from the file and the environment, and the environment wins", () => {
    const config = load(
      { SETTEE_PORT: "0", SETTEE_MAX_URI_LENGTH: "100", SETTEE_CORS_ORIGINS: "https://a.example, https://b.example" },
      { port: 1234, host: "::1", limits: { maxUriLength: 200, maxDocumentSize: 5 } },
    );
    assert.equal(config.port, 0);
    assert.equal(config.host, "::1");
    assert.equal(config.limits.maxUriLength, 100);
    assert.equal(config.limits.maxDocumentSize, 5);
    assert.deepEqual(config.cors.origins, ["https://a.example", "https://b.example"]);
  });

  test("finds folders from where they were written down", () => {
    const elsewhere = workingDirectory({ dataDir: "beside-the-file" });
    const directory = workingDirectory();
    const file = join(elsewhere, "settee.config.json");
    assert.equal(loadConfig({ SETTEE_CONFIG: file }, directory).dataDir, join(elsewhere, "beside-the-file"));
    const environment = { SETTEE_CONFIG: file, SETTEE_DATA_DIR: "beside-me" };
    assert.equal(loadConfig(environment, directory).dataDir, join(directory, "beside-me"));
  });

  test("takes the folder design-docs when it is there", () => {
    const directory = workingDirectory();
    assert.equal(loadConfig({}, directory).designDocs, undefined);
    mkdirSync(join(directory, "design-docs"));
    assert.equal(loadConfig({}, directory).designDocs, join(directory, "design-docs"));
  });

  test("is complete for programs that give a part of it", () => {
    const config = completeConfig({ port: 0, limits: { maxDocumentSize: 10 } }, folder);
    assert.equal(config.port, 0);
    assert.equal(config.limits.maxDocumentSize, 10);
    assert.equal(config.limits.maxUriLength, 8000);
    assert.throws(() => completeConfig({ prot: 0 } as never), /^ConfigError|prot: there is no such setting/);
  });
});

describe("the start is stopped, with the name of the setting, by", () => {
  interface Scenario {
    readonly name: string;
    readonly environment?: NodeJS.ProcessEnv;
    readonly file?: unknown;
    readonly says: RegExp;
  }
  const scenarios: readonly Scenario[] = [
    {
      name: "an unknown variable",
      environment: { SETTEE_PROT: "1" },
      says: /^SETTEE_PROT: there is no such setting\.$/,
    },
    { name: "a variable named like a property", environment: { SETTEE_toString: "1" }, says: /^SETTEE_toString: / },
    { name: "an unknown setting", file: { prot: 1 }, says: /^prot: there is no such setting\.$/ },
    {
      name: "an unknown nested setting",
      file: { limits: { max: 1 } },
      says: /^limits\.max: there is no such setting\.$/,
    },
    { name: "__proto__", file: '{"__proto__": {"port": 1}}', says: /^__proto__: / },
    {
      name: "a port that is text",
      environment: { SETTEE_PORT: "abc" },
      says: /^SETTEE_PORT: must be a whole number from 0 to 65535\.$/,
    },
    { name: "an empty port", environment: { SETTEE_PORT: "" }, says: /^SETTEE_PORT: / },
    { name: "a port too high", file: { port: 65_536 }, says: /^port: must be a whole number/ },
    { name: "a port in quotes", file: { port: "5984" }, says: /^port: must be a whole number/ },
    { name: "half a number", environment: { SETTEE_CHANGES_TIMEOUT: "1.5" }, says: /^SETTEE_CHANGES_TIMEOUT: / },
    { name: "no host", environment: { SETTEE_HOST: "" }, says: /^SETTEE_HOST: must not be empty\.$/ },
    {
      name: "an origin with a path",
      environment: { SETTEE_CORS_ORIGINS: "https://a.example/x" },
      says: /^SETTEE_CORS_ORIGINS: /,
    },
    { name: "an unknown backend", file: { backend: "mysql" }, says: /^backend: must be "embedded" or "couchdb"\.$/ },
    {
      name: "the backend that is not there yet",
      environment: { SETTEE_BACKEND: "couchdb" },
      says: /^SETTEE_BACKEND: "couchdb" is not there yet/,
    },
    {
      name: "an administrator without a password",
      environment: { SETTEE_ADMIN_NAME: "root" },
      says: /^SETTEE_ADMIN_NAME: /,
    },
    {
      name: "a short secret",
      environment: { SETTEE_SECRET: "short" },
      says: /^SETTEE_SECRET: must have at least 16 characters/,
    },
    {
      name: "the manual's secret",
      environment: { SETTEE_SECRET: "92de07df7e7a3fe14808cef90a7cc0d91" },
      says: /^SETTEE_SECRET: is a sample/,
    },
    { name: "a sample in capitals", file: { proxySecret: "CHANGEMECHANGEME" }, says: /^proxySecret: is a sample/ },
    { name: "one letter as a secret", file: { secret: "a".repeat(40) }, says: /^secret: repeats too few characters/ },
    { name: "a file that is not JSON", file: "{port: 1}", says: /settee\.config\.json is not JSON\.$/ },
    { name: "a file that is a list", file: [], says: /settee\.config\.json must hold a JSON object\.$/ },
    {
      name: "a named file that is missing",
      environment: { SETTEE_CONFIG: "none.json" },
      says: /none\.json cannot be read\.$/,
    },
  ];
  for (const { name, environment = {}, file, says } of scenarios) {
    test(name, () => {
      assert.throws(
        () => load(environment, file),
        (error) => error instanceof ConfigError && says.test(error.message),
      );
    });
  }

  test("two faults, both named", () => {
    assert.throws(
      () => load({ SETTEE_PORT: "x" }, { logLevel: "loud" }),
      /SETTEE_PORT: .*\nlogLevel: |logLevel: .*\nSETTEE_PORT: /,
    );
  });

  test("a bad secret, without quoting it", () => {
    const secret = "changemechangeme";
    assert.throws(
      () => load({ SETTEE_SECRET: secret, SETTEE_ADMIN_PASSWORD: "" }),
      (error: Error) => !error.message.includes(secret),
    );
  });
});
