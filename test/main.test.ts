import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { basic, HttpClient } from "./helpers/http-client.js";
import { repositoryRoot } from "./helpers/repository-root.js";
import { startSettee } from "./helpers/settee-process.js";
import { waitFor, within } from "./helpers/wait-for.js";

const main = join(repositoryRoot, "dist", "server", "main.js");

interface Ended {
  readonly code: number | null;
  readonly output: string;
}

/** Runs the command to its end. */
async function settee(args: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<Ended> {
  const child = spawn(process.execPath, [main, ...args], { env: { PATH: process.env["PATH"], ...environment } });
  let output = "";
  child.stdout.on("data", (chunk) => (output += chunk));
  child.stderr.on("data", (chunk) => (output += chunk));
  const ended = new Promise<Ended>((resolve) => child.once("close", (code) => resolve({ code, output })));
  try {
    return await within(`settee ${args.join(" ")} to end`, ended, 30_000);
  } finally {
    child.kill("SIGKILL");
  }
}

describe("settee serve", () => {
  test("stops in peace on SIGTERM, with clients that keep their connections", async () => {
    const server = await startSettee();
    try {
      const client = new HttpClient(server.url);
      await client.expect(200, "GET", "/");
      assert.equal(await server.stop(), "code 0");
      client.close();
    } finally {
      await server.close();
    }
  });

  test("shows the password of the administrator that it makes, once, and not in the log", async () => {
    const settings = { SETTEE_ADMIN_NAME: undefined, SETTEE_ADMIN_PASSWORD: undefined, SETTEE_LOG_LEVEL: "debug" };
    // What is undefined is not handed to the process.
    const server = await startSettee({ settings: settings as unknown as Record<string, string> });
    try {
      const [password = "none"] = /^\s+([\w-]{24})$/m.exec(server.output)?.slice(1) ?? [];
      const client = new HttpClient(server.url);
      const authorization = basic("admin", password);
      const { userCtx } = (await client.get("/_session", { authorization })).json();
      assert.deepEqual(userCtx.roles, ["_admin"], server.output);
      await server.restart();
      await client.expect(200, "GET", "/_session?basic=true", { authorization });
      client.close();
      assert.equal(server.output.split(password).length - 1, 1, "shown once");
      const lines = server.output.split("\n").filter((line) => line.startsWith("{"));
      assert.ok(lines.length > 0, "there is a log");
      assert.ok(!lines.some((line) => line.includes(password)));
      assert.ok(!server.output.includes(authorization.slice("Basic ".length)), "nor encoded");
    } finally {
      await server.close();
    }
  });

  test("keeps one secret over restarts: sessions stay", async () => {
    const server = await startSettee();
    try {
      const client = new HttpClient(server.url);
      await client.expect(201, "POST", "/_settee/signup", { body: { name: "ada", password: "lovelace-1815" } });
      const { headers } = await client.post("/_session", { name: "ada", password: "lovelace-1815" });
      const cookie = String(headers["set-cookie"]?.[0]).split(";")[0] as string;
      const secret = readFileSync(join(server.dataDir, "secret"), "utf8");
      await server.restart();
      const { userCtx } = (await client.get("/_session", { headers: { cookie } })).json();
      assert.equal(userCtx.name, "ada");
      assert.equal(readFileSync(join(server.dataDir, "secret"), "utf8"), secret);
      client.close();
    } finally {
      await server.close();
    }
  });

  test("says that the data directory is in use, and leaves it alone", async () => {
    const server = await startSettee();
    try {
      const second = await settee(["serve"], { SETTEE_DATA_DIR: server.dataDir, SETTEE_PORT: "0" });
      assert.equal(second.code, 1);
      assert.match(second.output, /data directory .* is in use by another process/);
      assert.doesNotMatch(second.output, /\n\s+at /, "no stack");
      const client = new HttpClient(server.url);
      await waitFor("the first to serve on", async () => (await client.get("/_up")).status === 200);
      client.close();
    } finally {
      await server.close();
    }
  });

  test("says that the address is in use", async () => {
    const server = await startSettee();
    const other = await startSettee();
    try {
      await other.stop();
      const { port } = new URL(server.url);
      const second = await settee(["serve"], {
        SETTEE_DATA_DIR: other.dataDir,
        SETTEE_PORT: port,
        SETTEE_PASSWORD_ITERATIONS: "10",
      });
      assert.equal(second.code, 1);
      assert.match(second.output, /EADDRINUSE/);
      assert.doesNotMatch(second.output, /\n\s+at /, "no stack");
    } finally {
      await server.close();
      await other.close();
    }
  });
});

describe("the command", () => {
  test("names a setting that stops the start", async () => {
    const { code, output } = await settee(["serve"], { SETTEE_PROT: "1" });
    assert.equal(code, 1);
    assert.match(output, /SETTEE_PROT: there is no such setting/);
    assert.doesNotMatch(output, /\n\s+at /, "no stack");
  });

  test("tells how it is used", async () => {
    const help = await settee(["--help"]);
    assert.equal(help.code, 0);
    assert.match(help.output, /^ {2}serve \[--new-epoch\]\n[\s\S]*^ {2}design check \[FOLDER\]\n/m);
    const unknown = await settee(["dance"]);
    assert.equal(unknown.code, 2);
    assert.match(unknown.output, /^There is no command dance\.\n[\s\S]*^ {2}serve /m);
    const misspelt = await settee(["serve", "--new-epoque"]);
    assert.deepEqual([misspelt.code, misspelt.output.split("'")[1]], [2, "--new-epoque"]);
  });
});

describe("settee keys rotate", () => {
  const audience = { SETTEE_TOKEN_ALGORITHM: "ES256" };
  const kids = async (client: HttpClient): Promise<readonly string[]> =>
    (await client.expect(200, "GET", "/_settee/jwks.json")).json().keys.map(({ kid }: { kid: string }) => kid);

  test("asks a running server, which signs with the new key at once; without one it opens the data directory", async () => {
    const server = await startSettee({ settings: audience });
    try {
      const client = new HttpClient(server.url);
      const [first] = await kids(client);
      const { hostname, port } = new URL(server.url);
      const environment = { ...audience, SETTEE_HOST: hostname, SETTEE_PORT: port, SETTEE_DATA_DIR: server.dataDir };
      const running = await settee(["keys", "rotate"], environment);
      assert.equal(running.code, 0, running.output);
      const [, second] = await kids(client);
      assert.equal(running.output, `The key ${second} signs access tokens now.\n`);

      const secret = { ...environment, SETTEE_SECRET: "another secret than the server's" };
      const stranger = await settee(["keys", "rotate"], secret);
      assert.match(stranger.output, /answered 401/);
      const elsewhere = await settee(["keys", "rotate"], { ...environment, SETTEE_PORT: "1" });
      assert.match(elsewhere.output, /has .* open, but there is none at/);
      assert.equal(elsewhere.code, 1);

      await server.stop();
      const stopped = await settee(["keys", "rotate"], environment);
      assert.equal(stopped.code, 0, stopped.output);
      await server.restart();
      const all = await kids(client);
      assert.deepEqual(all.slice(0, 2), [first, second]);
      assert.ok(stopped.output.includes(all[2] as string), stopped.output);
      client.close();
    } finally {
      await server.close();
    }
  });

  test("only administrators may", async () => {
    const server = await startSettee();
    try {
      const client = new HttpClient(server.url);
      await client.expect(401, "POST", "/_settee/keys/rotate", { body: {} });
      const authorization = `Settee-Operator 99999999999.${"0".repeat(64)}`;
      await client.expect(401, "POST", "/_settee/keys/rotate", { body: {}, authorization });
      client.close();
    } finally {
      await server.close();
    }
  });
});
