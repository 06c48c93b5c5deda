import { deepEqual, equal } from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { basic, type HttpReply } from "../../helpers/http-client.js";
import { type HttpWorld, startHttpWorld } from "../../helpers/http-world.js";

const releases: (() => void | Promise<void>)[] = [];
let world: HttpWorld;
before(async () => {
  world = await startHttpWorld({ after: (release) => releases.push(release) });
  await world.client.expect(201, "PUT", "/db");
});
after(async () => {
  for (const release of releases) await release();
});

type Field = readonly [disposition: string, content: string, type?: string];

function formOf(fields: readonly Field[]): string {
  const parts = fields.map(([disposition, content, type]) => {
    const typed = type === undefined ? "" : `Content-Type: ${type}\r\n`;
    return `------TF\r\nContent-Disposition: form-data; ${disposition}\r\n${typed}\r\n${content}\r\n`;
  });
  return `${parts.join("")}------TF--`;
}

function upload(
  path: string,
  fields: readonly Field[],
  headers: Readonly<Record<string, string>> = {},
  authorization?: string,
): Promise<HttpReply> {
  return world.client.send("POST", path, {
    body: formOf(fields),
    headers: { "content-type": "multipart/form-data; boundary=----TF", referer: `${world.url}/page`, ...headers },
    ...(authorization ? { authorization } : {}),
  });
}

const file = (name: string, content: string, type = "image/png"): Field => [
  `name="_attachments"; filename="${name}"`,
  content,
  type,
];
const refusal = (reply: HttpReply): readonly [number, string] => [reply.status, reply.json().reason];

describe("a form with files", () => {
  test("adds them to the revision that it names", async () => {
    const first = (await world.client.put("/db/a", { n: 1.5 })).json().rev;
    const kept = (await world.client.put(`/db/a/kept?rev=${first}`, "kept")).json().rev;
    const reply = await upload("/db/a", [['name="_rev"', kept], file("one", "1\r\n"), file("two", "2", "text/plain")]);
    equal(reply.status, 201);
    equal(reply.headers.etag, `"${reply.json().rev}"`);
    const { _attachments, n } = (await world.client.get("/db/a")).json();
    deepEqual(
      Object.entries<{ content_type: string; length: number }>(_attachments).map(([name, { content_type, length }]) => [
        name,
        content_type,
        length,
      ]),
      [
        ["one", "image/png", 3],
        ["two", "text/plain", 1],
        ["kept", "application/json", 4],
      ],
    );
    equal(n, 1.5);
  });

  test("replaces one of the same name, wherever the form has its revision", async () => {
    const { rev } = (await world.client.put("/db/b/f", "old")).json();
    const reply = await upload("/db/b", [file("f", "new"), ['name="_rev"', rev], ['name="other"', "x"]]);
    equal(reply.status, 201);
    equal((await world.client.get("/db/b/f")).text, "new");
  });

  test("may bring the document as well", async () => {
    const reply = await upload("/db/c", [['name="_doc"', '{"n":1}'], file("f", "x")]);
    equal(reply.status, 201);
    const { n, _attachments } = (await world.client.get("/db/c")).json();
    deepEqual([n, Object.keys(_attachments)], [1, ["f"]]);
  });

  test("is taken from pages of this host alone", async () => {
    const { rev } = (await world.client.put("/db/d", {})).json();
    const fields = [['name="_rev"', rev] as Field, file("f", "x")];
    deepEqual(refusal(await upload("/db/d", fields, { referer: "" })), [400, "Referer header required."]);
    for (const referer of ["http://elsewhere.example/", `${world.url}.elsewhere.example/`, "nonsense"]) {
      deepEqual(refusal(await upload("/db/d", fields, { referer })), [400, "Referer header must match host."]);
    }
    equal((await world.client.get("/db/d")).json()._rev, rev);
  });

  test("is refused when something about it is wrong, and nothing is written", async () => {
    const { rev } = (await world.client.put("/db/e", {})).json();
    const other = `1-${"0".repeat(32)}`;
    const form = (headers: Readonly<Record<string, string>>) => upload("/db/e", [['name="_rev"', rev]], headers);
    const type = "Content-Type must be multipart/form-data";
    deepEqual(refusal(await form({ "content-type": "application/x-www-form-urlencoded" })), [415, type]);
    deepEqual(refusal(await form({ "content-type": "application/json" })), [415, type]);
    equal((await form({ "content-type": "multipart/form-data" })).status, 400);
    equal((await upload("/db/e", [file("f", "x")])).status, 400, "neither _rev nor _doc");
    equal((await upload("/db/e", [['name="_rev"', "x"], file("f", "x")])).status, 400);
    deepEqual(refusal(await upload("/db/e", [['name="_rev"', other], file("f", "x")])), [409, "missing_rev"]);
    equal((await upload("/db/e", [['name="_doc"', "{"]])).status, 400);
    equal((await upload("/db/e", [['name="_doc"', "{}"]])).status, 409);
    equal((await upload("/db/e", [['name="_rev"', rev], file("_f", "x")])).status, 400);
    equal((await upload("/db/_local/e", [['name="_rev"', rev]])).status, 400);
    equal((await upload("/db/_e", [['name="_rev"', rev]])).json().error, "illegal_docid");
    equal((await world.client.get("/db/e")).json()._rev, rev);
  });

  test("writes no design documents for those who may not", async () => {
    await world.gateway.signUp({ name: "ada", password: "long enough" });
    await world.client.expect(200, "PUT", "/db/_security", { body: { members: { names: ["ada"] } } });
    const ada = basic("ada", "long enough");
    equal((await upload("/db/_design/d", [['name="_doc"', "{}"]], {}, ada)).status, 403);
    equal((await upload("/db/hers", [['name="_doc"', "{}"]], {}, ada)).status, 201);
  });
});
