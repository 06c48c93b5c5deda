/** The replayer itself, against a server that answers from a table. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { after, before, beforeEach, describe, it } from "node:test";
import { strayExcuses } from "./excuses.js";
import { type ReplayOptions, record, replay } from "./replay.js";
import { readScenario, type Step } from "./scenario.js";
import { allScenarioFiles, suiteFiles, suites } from "./suites.js";

interface Seen {
  readonly line: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

type Answers = Record<
  string,
  { status?: number; headers?: Record<string, string | string[]>; body?: string } | "hang up"
>;

describe("replay", () => {
  let server: Server;
  let url: string;
  let folder: string;
  let seen: Seen[] = [];
  /** `METHOD path`, the scenario's database names written as `{{db}}`, to an answer. */
  let answers: Answers = {};

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "settee-replay-"));
    server = createServer((request, response) => void reply(request, response));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://ad%40min:pw@127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(async () => {
    await new Promise((resolve) => server.close(resolve));
    rmSync(folder, { recursive: true });
  });
  beforeEach(() => {
    seen = [];
    answers = {};
  });

  async function reply(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const line = `${request.method} ${request.url}`.replace(/behaviour-(db\d*)-[0-9a-f]{10}/g, "{{$1}}");
    const body = (await buffer(request)).toString();
    if (request.method !== "DELETE") seen.push({ line, headers: request.headers, body });
    const answer = answers[line] ?? { status: 404, body: '{"error":"not_found"}' };
    if (answer === "hang up") return void request.socket.destroy();
    const database = /behaviour-db-[0-9a-f]{10}/.exec(request.url ?? "")?.[0] ?? "";
    response.writeHead(answer.status ?? 200, { "content-type": "application/json", ...answer.headers });
    response.end(answer.body?.replaceAll("{{db}}", database));
  }

  const get = (path: string, want: Step["want"], more: Partial<Step> = {}): Step => ({
    name: path,
    method: "GET",
    path,
    want: { headers: { "content-type": "application/json" }, ...want },
    ...more,
  });

  function scenario(steps: readonly Step[]): string {
    const file = join(folder, "99-made-up.json");
    writeFileSync(file, JSON.stringify({ about: "made up", steps }));
    return file;
  }

  async function run(steps: readonly Step[], options: Partial<ReplayOptions> = {}) {
    return await replay({ url, files: [scenario(steps)], ...options });
  }

  /** The differences of a single step. */
  async function differences(step: Step): Promise<readonly string[]> {
    const [result] = await run([step]);
    assert.ok(result);
    return result.differences;
  }

  it("finds no difference where only hashes, sequences, sizes and names differ", async () => {
    answers = {
      "GET /{{db}}": {
        headers: { etag: `"2-${"a".repeat(32)}"`, location: "http://elsewhere:1/{{db}}".replace("{{db}}", "x") },
        body: `{"db_name":"{{db}}","update_seq":"17-abc","sizes":{"file":9},"rev":"3-${"0".repeat(32)}","n":null,"seq":null}`,
      },
    };
    const want = {
      status: 200,
      headers: { "content-type": "application/json", etag: '"2-<rev>"', location: "<origin>/x" },
      json: { db_name: "{{db}}", update_seq: "<seq>", sizes: "<n>", rev: "3-<rev>", n: null, seq: null },
    };
    assert.deepEqual(await differences(get("/{{db}}", want)), []);
  });

  it("names each difference", async () => {
    answers = { "GET /x": { status: 409, headers: { etag: "x" }, body: '{"a":[1,{"b":2}],"c":[1],"__proto__":1}' } };
    const want = { status: 201, json: { a: [1, { b: 3 }], c: [1, 2], d: 0 } };
    assert.deepEqual(await differences(get("/x", want)), [
      'headers.etag: wanted undefined, got "<etag>"',
      "status: wanted 201, got 409",
      "json.a.1.b: wanted 3, got 2",
      "json.c: 2 items wanted, 1 got",
      "json.d: wanted 0, got undefined",
      "json.__proto__: wanted undefined, got 1",
    ]);
  });

  it("does not compare what is to be ignored", async () => {
    answers = { "GET /x": { body: '{"rows":[{"id":1,"v":2},{"id":3,"v":4}],"ref":5}' } };
    const json = { rows: [{ id: 1, v: 0 }, { id: 3 }] };
    assert.deepEqual(
      await differences(get("/x", { status: 200, json }, { ignore: ["json.rows.*.v", "json.ref"] })),
      [],
    );
  });

  it("compares the text, the shape, or lines of JSON where the step asks for it", async () => {
    answers = {
      "GET /raw": { body: '{"b":1.0,"a":1}\n' },
      "GET /shape": { body: '{"b":[{"c":1},2],"d":"x","e":null}' },
      "GET /lines": { body: '{"seq":"1-x","id":"a"}\n{"last_seq":"1-x"}\n' },
      "GET /events": { headers: { "content-type": "text/event-stream" }, body: 'data: {"seq":"1-x"}\nid: 1-x\n\n' },
      "GET /parts": {
        headers: { "content-type": `multipart/mixed; boundary="${"b".repeat(32)}"` },
        body: `--${"b".repeat(32)}\r\n\r\n{}\r\n--${"b".repeat(32)}--`,
      },
    };
    const results = await run([
      get("/raw", { status: 200, text: '{"b":1.0,"a":1}\n' }, { raw: true }),
      get("/shape", { status: 200, json: { b: [{ c: "<number>" }], d: "<string>", e: null } }, { shape: true }),
      get("/lines", { status: 200, text: '{"seq":"<seq>","id":"a"}\n{"last_seq":"<seq>"}\n' }),
      get("/events", {
        status: 200,
        headers: { "content-type": "text/event-stream" },
        text: 'data: {"seq":"<seq>"}\nid: <seq>\n\n',
      }),
      get("/parts", {
        status: 200,
        headers: { "content-type": "multipart/mixed; boundary=<boundary>" },
        text: "--<boundary>\r\n\r\n{}\r\n--<boundary>--",
      }),
    ]);
    assert.deepEqual(
      results.flatMap((result) => result.differences),
      [],
    );
  });

  it("sends who asks, what was saved, and the body as the step says", async () => {
    answers = {
      "GET /save": {
        headers: { etag: '"e"', "set-cookie": ["A=1; Path=/", "AuthSession=abc; HttpOnly"] },
        body: '{"rev":"1-a/b","rows":[{"id":"x y"}]}',
      },
    };
    const save = { rev: "rev", id: "rows.0.id", tag: "header:etag", cookie: "cookie:AuthSession" };
    const want = { status: 404, json: { error: "not_found" } };
    const post = (more: Partial<Step>) => get("/{{db}}/{{id}}?rev={{rev}}", want, { method: "POST", ...more });
    await run([
      get("/save", {}, { save }),
      post({ as: "anonymous", headers: { cookie: "{{cookie}}", "if-match": "{{tag}}" }, text: "{{x*3}} {{rev}}" }),
      post({ as: "bo:pw", body: { "{{id}}": ["{{rev}}"], n: 1 } }),
      post({ base64: "AAH/" }),
    ]);
    const basic = (text: string) => `Basic ${Buffer.from(text).toString("base64")}`;
    assert.deepEqual(seen.map(({ line }) => line).slice(1), Array(3).fill("POST /{{db}}/x%20y?rev=1-a%2Fb"));
    assert.deepEqual(
      seen.map(({ headers }) => headers.authorization),
      [basic("ad@min:pw"), undefined, basic("bo:pw"), basic("ad@min:pw")],
    );
    assert.deepEqual(seen.map(({ body }) => body).slice(1), [
      "xxx 1-a/b",
      '{"x y":["1-a/b"],"n":1}',
      "\u0000\u0001\ufffd",
    ]);
    assert.equal(seen[1]?.headers.cookie, "AuthSession=abc");
    assert.equal(seen[1]?.headers["if-match"], '"e"');
    assert.equal(seen[2]?.headers["content-type"], "application/json");
  });

  it("reports a request that got no answer and goes on", async () => {
    answers = { "GET /down": "hang up" };
    const missing = { status: 404, json: { error: "not_found" } };
    const results = await run([get("/down", missing), get("/{{nobody}}", missing), get("/up", missing)]);
    assert.deepEqual(
      results.map(({ verdict }) => verdict),
      ["different", "different", "same"],
    );
    assert.match(results[0]?.differences.join() ?? "", /failure: wanted undefined, got "fetch failed"/);
    assert.match(results[1]?.differences.join() ?? "", /unknown variable nobody/);
  });

  it("judges only what was asked for, but sends everything", async () => {
    const results = await run([get("/a", {}), get("/b", {})], { only: "/b" });
    assert.deepEqual(
      results.map(({ name }) => name),
      ["99-made-up//b"],
    );
    assert.equal(seen.length, 2);
  });

  it("excuses deviations and pending steps, and tells when they need no excuse", async () => {
    const good = { status: 404, json: { error: "not_found" } };
    const steps = [get("/a", good), get("/b", {}), get("/c", good), get("/d", {}), get("/e", {}), get("/f", good)];
    const deviations = { "99-made-up//a": "we know better", "99-made-up//b": "we know better" };
    const pending = { "99-made-up//c": "views", "99-made-up//d": "views", "99-made-up/*": "lists" };
    const results = await run(steps, { excuses: { deviations, pending } });
    const verdicts = ["stale deviation", "deviation", "arrived", "pending", "pending", "same"];
    assert.deepEqual(
      results.map(({ verdict }) => verdict),
      verdicts,
    );
    const stray = { deviations: { "99-made-up/gone": "", "98-other/x": "" }, pending };
    assert.deepEqual(
      strayExcuses(
        "99-made-up",
        results.map(({ name }) => name),
        stray,
      ),
      ["99-made-up/gone"],
    );
  });

  it("records what it would then accept", async () => {
    answers = { "GET /{{db}}": { body: '{"db_name":"{{db}}","seq":"1-a"}' } };
    const file = scenario([get("/{{db}}", { status: 500 }, { ignore: ["json.x"] })]);
    await record(url, [file]);
    const [step] = readScenario(file).steps;
    assert.deepEqual(step?.want.json, { db_name: "{{db}}", seq: "<seq>" });
    assert.deepEqual(step?.ignore, ["json.x"]);
    assert.equal(JSON.parse(readFileSync(file, "utf8")).about, "made up");
    const [result] = await replay({ url, files: [file] });
    assert.equal(result?.verdict, "same");
  });
});

describe("suites", () => {
  it("name recordings that are there, and none twice", () => {
    const files = Object.values(suites).flatMap(suiteFiles);
    assert.ok(files.length > 40);
    assert.equal(new Set(files).size, files.length);
    const all = new Set(allScenarioFiles());
    for (const file of files) assert.ok(all.has(file));
  });
});
