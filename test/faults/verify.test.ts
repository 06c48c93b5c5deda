import { rejects } from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, test } from "node:test";
import { expressPouchDbCommand } from "../bench/peers/express-pouchdb.js";
import { HttpClient } from "../helpers/http-client.js";
import { ServerProcess } from "../helpers/server-process.js";
import { type Content, Ledger } from "./ledger.js";
import { verifyLedger, verifyListings } from "./verify.js";
import { textOf } from "./writers.js";

/** A promise that was not kept looks, from outside, like a ledger that claims more than is there. */
let server: ServerProcess;
let client: HttpClient;
before(async () => {
  server = await ServerProcess.start(expressPouchDbCommand("memory"));
  client = new HttpClient(server.url);
});
after(async () => {
  client.close();
  await server.close();
});

const file = Buffer.from("the bytes of a file");
const digest = createHash("md5").update(file).digest("base64");

/** A database with one document, and a ledger that says so truthfully. */
async function truthful(database: string) {
  await client.expect(201, "PUT", database);
  const body = {
    number: 1,
    text: textOf(1),
    _attachments: { a: { content_type: "text/plain", data: file.toString("base64") } },
  };
  const { rev } = (await client.expect(201, "PUT", `${database}/note`, { body })).json();
  const ledger = new Ledger();
  const claim = (id: string, content: Content, acknowledged: string) => {
    ledger.sending(id, content);
    ledger.acknowledge(id, acknowledged);
  };
  claim("note", { number: 1, attachments: { a: digest } }, rev);
  const verify = async () => {
    await verifyLedger(client, database, ledger, ledger.ids());
    await verifyListings(client, database, ledger);
  };
  return { ledger, rev, claim, verify };
}

test("kept promises are found kept, and an unanswered write may have happened or not", async () => {
  const { ledger, verify } = await truthful("/kept");
  await verify();
  ledger.sending("never-arrived", { number: 2 });
  await verify();
  await client.expect(201, "PUT", "/kept/arrived", { body: { number: 3, text: textOf(3) } });
  ledger.sending("arrived", { number: 3 });
  await verify();
});

test("a lost document is noticed", async () => {
  const { claim, verify } = await truthful("/document");
  claim("other", { number: 2 }, "1-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
  await rejects(verify(), /was acknowledged and is gone/);
});

test("a lost edit is noticed", async () => {
  const { claim, verify } = await truthful("/edit");
  claim("note", { number: 2 }, "2-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
  await rejects(verify(), /2-a+ was acknowledged; there is 1-/);
});

test("the body of another write is noticed", async () => {
  const { claim, rev, verify } = await truthful("/body");
  claim("note", { number: 2, attachments: { a: digest } }, rev);
  await rejects(verify(), /has its own body/);
});

test("half a document is noticed", async () => {
  const { claim, verify } = await truthful("/half");
  const body = { number: 2, text: textOf(2).slice(1) };
  const { rev } = (await client.expect(201, "PUT", "/half/other", { body })).json();
  claim("other", { number: 2 }, rev);
  await rejects(verify(), /has its whole body/);
});

test("other bytes in an attachment are noticed", async () => {
  const { claim, rev, verify } = await truthful("/bytes");
  claim("note", { number: 1, attachments: { a: `${digest.slice(1)}x` } }, rev);
  await rejects(verify(), /the bytes of/);
});

test("an update sequence that went back is noticed", async () => {
  const { ledger, verify } = await truthful("/sequence");
  ledger.sawSequence("1000-abc");
  await rejects(verify(), /update_seq went back from 1000/);
});
