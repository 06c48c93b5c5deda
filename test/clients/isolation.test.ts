import { deepEqual, equal, ok } from "node:assert/strict";
import { after, before, test } from "node:test";
import type { HttpClient, HttpReply } from "../helpers/http-client.js";
import { adminAuthorization, type SetteeProcess, startSettee } from "../helpers/settee-process.js";
import { type Attempt, disguised, reading, serverWide, writing } from "./isolation-table.js";
import { administrator, signUp, type User } from "./users.js";

const secret = "what only ada may know";

let settee: SetteeProcess;
let admin: HttpClient;
let ada: User;
let bob: User;
let otherRev: string;
let secretRev: string;
/** How a stranger may come along: headers of the request by the way of signing in. */
const strangers = new Map<string, Readonly<Record<string, string>>>();

before(async () => {
  settee = await startSettee();
  admin = administrator(settee);
  ada = await signUp(settee, "ada");
  bob = await signUp(settee, "bob");
  await fillDatabase();
  strangers.set("nobody", {});
  strangers.set("bob by password", { authorization: bob.authorization });
  strangers.set("bob by cookie", { cookie: await cookieOf(bob) });
  strangers.set("bob by token", { authorization: `Bearer ${await tokenOf(bob)}` });
});
after(async () => {
  admin.close();
  await settee.close();
});

test("the owner is let in by password, cookie and token: the strangers are refused for who they are", async () => {
  const ways = [
    { authorization: ada.authorization },
    { cookie: await cookieOf(ada) },
    { authorization: `Bearer ${await tokenOf(ada)}` },
  ];
  for (const headers of ways) {
    const reply = await admin.get(`/${ada.database}/secret`, { headers, authorization: null });
    equal(reply.json().text, secret);
  }
});

test("nothing of another user's database can be read, listed, followed or written", async () => {
  const holes: string[] = [];
  for (const [stranger, headers] of strangers) {
    for (const attempt of [...reading, ...writing]) {
      const before = await fingerprint();
      const reply = await attemptAs(headers, attempt);
      const refused = [401, 403, 404].includes(reply.status) && !reply.text.includes(secret);
      if (!refused) holes.push(`${stranger}: ${attempt.method} ${attempt.path} was answered ${reply.status}`);
      if ((await fingerprint()) !== before) holes.push(`${stranger}: ${attempt.method} ${attempt.path} left a trace`);
    }
  }
  deepEqual(holes, []);
});

test("other spellings of a path lead nowhere", async () => {
  const holes: string[] = [];
  for (const [stranger, headers] of strangers) {
    for (const attempt of disguised) {
      const reply = await attemptAs(headers, attempt);
      if (reply.text.includes(secret)) holes.push(`${stranger}: ${attempt.path} shows the secret`);
      if (reply.status >= 500) holes.push(`${stranger}: ${attempt.path} was answered ${reply.status}`);
    }
  }
  deepEqual(holes, []);
});

test("what spans databases does not mention another user's", async () => {
  const holes: string[] = [];
  for (const [stranger, headers] of strangers) {
    for (const attempt of serverWide) {
      const reply = await attemptAs(headers, attempt);
      const told = [secret, "org.couchdb.user:ada", '"name":"ada"'].filter((word) => reply.text.includes(word));
      // A refusal may repeat the name that was asked for; an answer must not know it.
      if (reply.status < 300 && reply.text.includes(ada.database)) told.push(ada.database);
      if (told.length > 0) holes.push(`${stranger}: ${attempt.method} ${attempt.path} tells ${told.join(", ")}`);
      if (reply.status >= 500)
        holes.push(`${stranger}: ${attempt.method} ${attempt.path} was answered ${reply.status}`);
    }
  }
  deepEqual(holes, []);
});

test("a replication cannot be sent to fetch what its owner may not read", async () => {
  const jobs = [
    { source: ada.database, target: bob.database },
    { source: `${settee.url}/${ada.database}`, target: `${settee.url}/${bob.database}` },
  ];
  for (const job of jobs) {
    const headers = { authorization: bob.authorization };
    const once = await admin.post("/_replicate", job, { headers, authorization: null });
    ok(once.status >= 400, `_replicate was answered ${once.status}`);
    const stored = await admin.put("/_replicator/steal", job, { headers, authorization: null });
    ok(stored.status >= 400, `_replicator was answered ${stored.status}`);
  }
  equal((await admin.get(`/${bob.database}/secret`)).status, 404);
});

test("an attachment cannot be had by naming its digest from another database", async () => {
  const { _attachments } = (await admin.get(`/${ada.database}/secret`)).json();
  const stub = { ..._attachments["file.bin"], stub: true };
  const reply = await admin.put(
    `/${bob.database}/thief`,
    { type: "note", _attachments: { "file.bin": stub } },
    { authorization: bob.authorization },
  );
  equal(reply.status, 412);
  equal((await admin.get(`/${bob.database}/thief/file.bin`)).status, 404);
});

test("the administrator is answered on the same rows: they were real attempts", async () => {
  const wrong: string[] = [];
  for (const attempt of [...serverWide, ...reading, ...writing]) {
    if (attempt.works === undefined) continue;
    const reply = await attemptAs({ authorization: adminAuthorization }, attempt);
    if (reply.status !== attempt.works) {
      const answer = reply.text.slice(0, 120).trim();
      wrong.push(`${attempt.method} ${attempt.path}: ${reply.status} instead of ${attempt.works}: ${answer}`);
    }
  }
  deepEqual(wrong, []);
});

function attemptAs(headers: Readonly<Record<string, string>>, attempt: Attempt): Promise<HttpReply> {
  const filled = JSON.parse(
    JSON.stringify(attempt)
      .replaceAll("ENCODED", ada.database.replace("userdb-", ""))
      .replaceAll("DB", ada.database)
      .replaceAll("NAME", ada.name)
      .replaceAll("SECRET_REV", secretRev)
      .replaceAll("OTHER_REV", otherRev),
  ) as Attempt;
  const options = { body: filled.body, headers: { ...filled.headers, ...headers }, authorization: null };
  return admin.send(filled.method, filled.path, options);
}

/** All that a stranger's request could change in the database. */
async function fingerprint(): Promise<string> {
  const paths = ["_all_docs", "_security", "_local_docs", "_revs_limit"];
  const replies = await Promise.all(paths.map((path) => admin.get(`/${ada.database}/${path}`)));
  const { doc_count, doc_del_count, update_seq } = (await admin.get(`/${ada.database}`)).json();
  return JSON.stringify([replies.map((reply) => reply.text), doc_count, doc_del_count, update_seq]);
}

async function fillDatabase(): Promise<void> {
  const { rev } = (
    await admin.expect(201, "PUT", `/${ada.database}/secret`, { body: { type: "note", text: secret } })
  ).json();
  const path = `/${ada.database}/secret/file.bin?rev=${rev}`;
  const attached = await admin.expect(201, "PUT", path, {
    body: secret,
    headers: { "content-type": "application/octet-stream" },
  });
  await admin.expect(201, "PUT", `/${ada.database}/_local/mark`, { body: { text: secret } });
  await admin.expect(201, "PUT", `/${ada.database}/_design/judged`, {
    body: {
      language: "javascript",
      views: { texts: { map: "function (doc) { emit(doc.type, doc.text); }" } },
      shows: { one: "function (doc) { return doc.text; }" },
      lists: { all: "function () { var row; while ((row = getRow())) send(row.value); }" },
      updates: { touch: "function (doc) { doc.touched = true; return [doc, doc.text]; }" },
      rewrites: [{ from: "anything", to: "../../secret" }],
    },
  });
  secretRev = attached.json().rev;
  const other = await admin.expect(201, "PUT", `/${ada.database}/other`, { body: { type: "note", text: "other" } });
  otherRev = other.json().rev;
}

async function cookieOf({ name, password }: User): Promise<string> {
  const reply = await admin.expect(200, "POST", "/_session", { body: { name, password }, authorization: null });
  const [cookie] = reply.headers["set-cookie"] ?? [];
  ok(cookie, "a session cookie was set");
  return cookie.split(";", 1)[0] as string;
}

async function tokenOf({ name, password }: User): Promise<string> {
  const body = { grant_type: "password", username: name, password };
  return (await admin.expect(200, "POST", "/_settee/token", { body, authorization: null })).json().access_token;
}
