import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { basic, HttpClient } from "../helpers/http-client.js";
import { leavesOverHttp } from "../helpers/leaves-over-http.js";
import { repositoryRoot } from "../helpers/repository-root.js";
import { adminAuthorization, type SetteeProcess, startSettee } from "../helpers/settee-process.js";
import { temporaryDirectory } from "../helpers/temp-store.js";
import { waitFor, within } from "../helpers/wait-for.js";

const main = join(repositoryRoot, "dist", "server", "main.js");

interface Ended {
  readonly code: number | null;
  readonly output: string;
}

function run(
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
): { child: ChildProcess; ended: Promise<Ended> } {
  const child = spawn(process.execPath, [main, "migrate", ...args], {
    env: { PATH: process.env["PATH"], SETTEE_PASSWORD_ITERATIONS: "10", SETTEE_LOG_LEVEL: "warn", ...environment },
  });
  let output = "";
  child.stdout?.on("data", (chunk) => (output += chunk));
  child.stderr?.on("data", (chunk) => (output += chunk));
  const ended = new Promise<Ended>((resolve) => child.once("close", (code) => resolve({ code, output })));
  return { child, ended };
}

const migrate = (args: readonly string[], environment?: NodeJS.ProcessEnv): Promise<Ended> =>
  within("the migration", run(args, environment).ended, 60_000);

describe("settee migrate", () => {
  const databases = 15;
  let source: SetteeProcess;
  let client: HttpClient;

  before(async () => {
    source = await startSettee();
    client = new HttpClient(source.url, adminAuthorization);
    for (let n = 0; n < databases; n++) {
      await client.expect(201, "PUT", `/db-${n}${n === 3 ? "?partitioned=true" : ""}`);
      const docs = Array.from({ length: (n % 5) * 6 }, (_, i) => ({ _id: `${n === 3 ? "p:" : ""}doc-${i}`, n, i }));
      await client.expect(201, "POST", `/db-${n}/_bulk_docs`, { body: { docs } });
      await client.expect(200, "PUT", `/db-${n}/_security`, { body: { members: { names: [`user-${n}`] } } });
    }
    const conflict = ["b", "c"].map((hash) => ({ _id: "x", _rev: `1-${hash}`, hash }));
    const gone = { _id: "gone", _rev: "2-a", _deleted: true };
    await client.expect(201, "POST", "/db-1/_bulk_docs", { body: { docs: [...conflict, gone], new_edits: false } });
    const text = Buffer.from("compresses well ".repeat(3000)).toString("base64");
    const attachments = { a: { content_type: "text/plain", data: text }, b: { content_type: "a/b", data: "YQ==" } };
    await client.expect(201, "PUT", "/db-2/attached", { body: { _attachments: attachments } });
    // Refuses what is there already: only what comes from now on must pass it.
    const rule = "function (doc) { throw { forbidden: 'closed' }; }";
    await client.expect(201, "PUT", "/db-4/_design/closed", { body: { validate_doc_update: rule } });
    await client.expect(200, "PUT", "/db-5/_revs_limit", { body: 20 });
    for (const name of ["ada", "bob"]) {
      await client.expect(201, "POST", "/_settee/signup", {
        authorization: null,
        body: { name, password: `${name} knows it` },
      });
    }
  });
  after(async () => {
    client?.close();
    await source?.close();
  });

  /** Asks both servers, and believes no report. */
  async function isThere(target: HttpClient): Promise<void> {
    for (let n = 0; n < databases; n++) {
      assert.deepEqual(await leavesOverHttp(target, `db-${n}`), await leavesOverHttp(client, `db-${n}`), `db-${n}`);
      for (const path of ["_security", "_revs_limit"]) {
        assert.deepEqual((await target.get(`/db-${n}/${path}`)).json(), (await client.get(`/db-${n}/${path}`)).json());
      }
    }
    assert.deepEqual((await target.get("/db-3")).json().props, { partitioned: true });
    const session = await target.get("/_session", { authorization: basic("ada", "ada knows it") });
    assert.equal(session.json().userCtx.name, "ada");
  }

  async function countsOf(on: HttpClient): Promise<{ documents: number; deleted: number }> {
    const names = ((await on.get("/_all_dbs")).json() as string[]).filter((name) => /^(db-|userdb-)/.test(name));
    let [documents, deleted] = [0, 0];
    for (const name of names) {
      const { doc_count, doc_del_count } = (await on.get(`/${name}`)).json();
      documents += doc_count;
      deleted += doc_del_count;
    }
    return { documents, deleted };
  }

  test("over HTTP: everything is there, and the report counts what can be counted", async (t) => {
    const target = await startSettee();
    t.after(() => target.close());
    const targets = new HttpClient(target.url, adminAuthorization);
    t.after(() => targets.close());
    const report = join(temporaryDirectory(t), "report.json");
    const args = ["--from", source.adminUrl, "--to", target.adminUrl, "--users", "--report", report];
    const { code, output } = await migrate(args);
    assert.equal(code, 0, output);
    await isThere(targets);
    const moved = JSON.parse(readFileSync(report, "utf8")).databases as readonly {
      name: string;
      verified: boolean;
      found: { documents: readonly number[]; conflicts: number; attachments: number };
    }[];
    const { documents, deleted } = await countsOf(client);
    const users = moved.find(({ name }) => name === "_users")?.found.documents[0] ?? 0;
    assert.match(output, new RegExp(`^databases +${moved.length} verified of ${moved.length}$`, "m"));
    assert.match(output, new RegExp(`^documents +${documents + users}$`, "m"));
    assert.match(output, new RegExp(`^deleted +${deleted}$`, "m"));
    assert.equal(moved.find(({ name }) => name === "db-1")?.found.conflicts, 1);
    assert.equal(moved.find(({ name }) => name === "db-2")?.found.attachments, 2);
    assert.doesNotMatch(readFileSync(report, "utf8") + output, /a-long-password-for-tests/);
    const again = await migrate(args);
    assert.equal(again.code, 0);
    assert.match(again.output, /are verified by an earlier report/);
  });

  test("into the data directory, and goes on where it was killed", async (t) => {
    const dataDir = temporaryDirectory(t);
    const environment = {
      SETTEE_DATA_DIR: dataDir,
      SETTEE_ADMIN_NAME: "admin",
      SETTEE_ADMIN_PASSWORD: "a-long-password-for-tests",
    };
    const args = ["--from", source.adminUrl, "--users", "--at-once", "2"];
    const { child, ended } = run(args, environment);
    const reads = async () =>
      (await client.get("/_node/_local/_stats/couchdb/httpd_request_methods/POST")).json().value;
    const begun = await reads();
    const some = waitFor("some work", async () => (await reads()) > begun + 3, { interval: 1, timeout: 30_000 });
    await Promise.race([some, ended.then(() => Promise.reject(new Error("it ended before it did anything")))]);
    child.kill("SIGKILL");
    await ended;
    const { code, output } = await migrate(args, environment);
    assert.equal(code, 0, output);
    const target = await startSettee({ dataDir });
    t.after(() => target.close());
    const targets = new HttpClient(target.url, adminAuthorization);
    t.after(() => targets.close());
    await isThere(targets);
  });

  test("what is not well is said, and the exit code tells", async (t) => {
    const target = await startSettee();
    t.after(() => target.close());
    const some = ["--from", source.adminUrl, "--to", target.adminUrl];
    const missing = await migrate([...some, "db-1", "nowhere"]);
    assert.equal(missing.code, 1);
    assert.match(missing.output, /nowhere: could not open/);
    assert.match(missing.output, /^databases +1 verified of 2$/m);
    // Written at the target meanwhile: the source's leaf is there all the same; another document of its name is no loss.
    const targets = new HttpClient(target.url, adminAuthorization);
    t.after(() => targets.close());
    const rule = "function (doc) { if (doc.i === 7) throw { forbidden: 'not seven' }; }";
    await targets.expect(201, "PUT", "/db-9");
    await targets.expect(201, "PUT", "/db-9/_design/rule", { body: { validate_doc_update: rule } });
    const refused = await migrate([...some, "db-9"]);
    assert.equal(refused.code, 1);
    assert.match(refused.output, /db-9: refused doc-7: forbidden: forbidden: not seven/);
    assert.match(refused.output, /db-9: not as at the source: doc-7/);
    for (const args of [[], ["--from"], ["--from", "x", "--what"], ["--from", source.adminUrl, "--at-once", "0"]]) {
      assert.equal((await migrate(args)).code, 2, args.join(" "));
    }
    const running = await migrate(["--from", source.adminUrl], { SETTEE_DATA_DIR: source.dataDir });
    assert.equal(running.code, 1);
    assert.match(running.output, /in use by another process/);
  });
});
