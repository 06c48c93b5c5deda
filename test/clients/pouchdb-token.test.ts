import { deepEqual, equal, match, notEqual, ok } from "node:assert/strict";
import { after, before, test } from "node:test";
import { HttpClient } from "../helpers/http-client.js";
import { newDevice, remoteDatabaseByToken } from "../helpers/pouchdb-device.js";
import { type SetteeProcess, startSettee } from "../helpers/settee-process.js";
import { notes, signUp } from "./users.js";

interface TokenGrant {
  readonly access_token: string;
  readonly token_type: string;
  /** Seconds. */
  readonly expires_in: number;
  readonly refresh_token: string;
}

let settee: SetteeProcess;
let guest: HttpClient;
before(async () => {
  settee = await startSettee();
  guest = new HttpClient(settee.url);
});
after(async () => {
  guest.close();
  await settee.close();
});

test("PouchDB replicates with a bearer token, and goes on with a renewed one", async () => {
  const ada = await signUp(settee, "ada");
  const first = await granted({ grant_type: "password", username: ada.name, password: ada.password });
  match(first.token_type, /^bearer$/i);
  ok(first.expires_in > 0);
  let token = first.access_token;
  const remote = remoteDatabaseByToken(`${settee.url}/_me`, () => token);
  const device = newDevice();
  await device.bulkDocs(notes(100));
  equal((await device.replicate.to(remote)).docs_written, 100);

  const second = await granted({ grant_type: "refresh_token", refresh_token: first.refresh_token });
  notEqual(second.refresh_token, first.refresh_token, "a refresh token is used once");
  token = second.access_token;
  const other = newDevice();
  await other.replicate.from(remote);
  deepEqual(
    (await other.allDocs({ startkey: "note-", endkey: "note-\ufff0" })).rows.map(({ id }) => id),
    notes(100).map(({ _id }) => _id),
  );
});

test("the token opens the user's database by its own name, and nobody else's", async () => {
  const bob = await signUp(settee, "bob");
  const eve = await signUp(settee, "eve");
  const { access_token } = await granted({ grant_type: "password", username: bob.name, password: bob.password });
  const authorization = `Bearer ${access_token}`;
  equal((await guest.get(`/${bob.database}`, { authorization })).status, 200);
  equal((await guest.get(`/${eve.database}`, { authorization })).status, 403);
  equal((await guest.get("/_session", { authorization })).json().userCtx.name, "bob");
});

test("a form works as well as JSON, as OAuth 2 has it", async () => {
  const carol = await signUp(settee, "carol");
  const form = new URLSearchParams({ grant_type: "password", username: carol.name, password: carol.password });
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  const reply = await guest.expect(200, "POST", "/_settee/token", { body: form.toString(), headers });
  ok(reply.json().access_token);
});

test("a refresh token whose answer got lost may be sent again, and gives the same successor", async () => {
  const dora = await signUp(settee, "dora");
  const first = await granted({ grant_type: "password", username: dora.name, password: dora.password });
  const renew = () => granted({ grant_type: "refresh_token", refresh_token: first.refresh_token });
  const [once, again] = [await renew(), await renew()];
  equal(again.refresh_token, once.refresh_token);
});

test("a refresh token that comes back after its successor was used ends the family", async () => {
  const emil = await signUp(settee, "emil");
  const first = await granted({ grant_type: "password", username: emil.name, password: emil.password });
  const second = await granted({ grant_type: "refresh_token", refresh_token: first.refresh_token });
  const third = await granted({ grant_type: "refresh_token", refresh_token: second.refresh_token });
  for (const refresh_token of [first.refresh_token, third.refresh_token]) {
    const reply = await guest.post("/_settee/token", { grant_type: "refresh_token", refresh_token });
    ok(reply.status === 400 || reply.status === 401, `refused with ${reply.status}`);
  }
});

test("a wrong password gets no token, and a broken token opens nothing", async () => {
  const finn = await signUp(settee, "finn");
  const wrong = await guest.post("/_settee/token", { grant_type: "password", username: finn.name, password: "guess" });
  ok(wrong.status === 400 || wrong.status === 401, `refused with ${wrong.status}`);
  const { access_token } = await granted({ grant_type: "password", username: finn.name, password: finn.password });
  const [header, , signature] = access_token.split(".");
  const claims = Buffer.from(JSON.stringify({ sub: finn.name, "_couchdb.roles": ["_admin"], exp: 4e9 }));
  const unsigned = Buffer.from('{"alg":"none","typ":"JWT"}').toString("base64url");
  const payload = claims.toString("base64url");
  for (const token of [`${header}.${payload}.${signature}`, `${unsigned}.${payload}.`, "nonsense", ""]) {
    const reply = await guest.get(`/${finn.database}`, { authorization: `Bearer ${token}` });
    ok(reply.status === 400 || reply.status === 401, `"${token.slice(0, 20)}" was answered with ${reply.status}`);
  }
});

async function granted(grant: Readonly<Record<string, string>>): Promise<TokenGrant> {
  return (await guest.expect(200, "POST", "/_settee/token", { body: grant })).json();
}
