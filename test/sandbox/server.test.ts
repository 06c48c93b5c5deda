/** The sandbox as a server has it: its settings, and its log. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { HttpClient } from "../helpers/http-client.js";
import { adminAuthorization, type SetteeProcess, startSettee } from "../helpers/settee-process.js";
import { waitFor } from "../helpers/wait-for.js";

const functions = {
  validate_doc_update: `function (doc) {
    if (doc.say) log(doc.say);
    if (doc.loop) for (;;);
    if (doc.size) new Uint8Array(doc.size);
  }`,
  views: { v: { map: "function (doc) { log(['mapped', doc._id]); emit(doc._id, null); }" } },
  filters: { endless: "function (doc) { log({ seen: doc._id }); for (;;); }" },
};

/** Of the log. */
function lineOf({ output }: SetteeProcess, message: string) {
  const lines = output.split("\n").filter((text) => text.startsWith("{"));
  return lines.map((text) => JSON.parse(text)).find((line) => line.message === message);
}

describe("a server's sandbox", () => {
  let server: SetteeProcess;
  let client: HttpClient;
  const ask = async (method: string, path: string, body?: unknown) =>
    (await client.send(method, path, { body })).json();

  before(async () => {
    server = await startSettee({
      settings: {
        SETTEE_LOG_LEVEL: "info",
        SETTEE_SANDBOX_VALIDATION_TIMEOUT: "120",
        SETTEE_SANDBOX_MEMORY_LIMIT: String(8 * 1024 ** 2),
      },
    });
    client = new HttpClient(server.url, adminAuthorization);
    await ask("PUT", "/notes");
    await ask("PUT", "/notes/_design/app", functions);
  });
  after(async () => {
    client.close();
    await server.close();
  });

  test("log() is a line of the server's log, with the database and the design document", async () => {
    const words = 'said "so"\nin two lines';
    assert.equal((await ask("PUT", "/notes/a", { say: words })).ok, true);
    assert.equal((await ask("GET", "/notes/_design/app/_view/v")).total_rows, 1);
    for (const message of [words, '["mapped","a"]']) {
      const line = await waitFor("the line", () => lineOf(server, message));
      assert.deepEqual([line.level, line.database, line.designDoc], ["info", "notes", "_design/app"]);
    }
  });

  test("the limits of validation are settings", async () => {
    assert.deepEqual(await ask("PUT", "/notes/b", { loop: true }), {
      error: "timeout",
      reason: "A function of _design/app took longer than 120 ms.",
    });
    assert.equal((await ask("PUT", "/notes/c", { size: 1_000_000 })).ok, true);
    assert.deepEqual(await ask("PUT", "/notes/d", { size: 16_000_000 }), {
      error: "unknown_error",
      reason: "A function of _design/app used more memory than it may.",
    });
  });

  test("the limit of other functions can be changed while the server runs", async () => {
    const path = "/_node/_local/_config/couchdb/os_process_timeout";
    assert.equal(await ask("PUT", path, JSON.stringify("130")), "5000");
    const { error, reason } = await ask("GET", "/notes/_changes?filter=app/endless");
    assert.deepEqual([error, reason], ["timeout", "A function of _design/app took longer than 130 ms."]);
    assert.match((await ask("PUT", path, JSON.stringify("0"))).reason, /os_process_timeout/);
    assert.equal(await ask("GET", "/_node/_local/_config/quickjs/memory_limit_bytes"), String(8 * 1024 ** 2));
  });
});
