import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { test } from "node:test";
import { basic } from "../../helpers/http-client.js";
import { Browser, clientId, clientSecret, OidcWorld } from "../../helpers/oidc-world.js";
import { type SetteeHere, startSetteeHere } from "../../helpers/settee-here.js";
import type { Cleanup } from "../../helpers/temp-store.js";

const app = "http://app.example/";
const mobile = "org.example.app:/callback";
const ada = { sub: "4711", preferred_username: "Ada", email: "ada@example.org", email_verified: true };

interface World extends SetteeHere {
  readonly provider: OidcWorld;
  readonly start: string;
}

async function startWorld(t: Cleanup, options: Readonly<Record<string, unknown>> = {}): Promise<World> {
  let url = "";
  const provider = await OidcWorld.start(t, () => [`${url}/_settee/oidc/school/callback`]);
  const school = { issuer: provider.issuer, allowHttp: true, clientId, clientSecret, label: "The school", ...options };
  const settee = await startSetteeHere({ oidc: { providers: { school }, redirects: [app, mobile] } });
  url = settee.url;
  t.after(() => settee.close());
  provider.person = ada;
  return { ...settee, provider, start: `${url}/_settee/oidc/school/start` };
}

function pkce(): { readonly verifier: string; readonly challenge: string } {
  const verifier = randomBytes(32).toString("base64url");
  return { verifier, challenge: createHash("sha256").update(verifier).digest("base64url") };
}

/** The code with which the browser comes back. */
async function codeFor({ start }: World, challenge: string): Promise<string> {
  const { url } = await new Browser().visit(`${start}?code_challenge=${challenge}`, app);
  return new URL(url).searchParams.get("code") ?? assert.fail(url);
}

// biome-ignore lint/suspicious/noExplicitAny: tests look into replies of every shape
async function jsonOf(response: Response): Promise<any> {
  return response.json();
}

async function whoIs(browser: Browser, { url }: World): Promise<string | null> {
  return (await jsonOf(await browser.fetch(`${url}/_session`))).userCtx.name;
}

test("log in with a provider: back to the app with a session cookie, for an account made at first sight", async (t) => {
  const world = await startWorld(t);
  const browser = new Browser();
  const { url } = await browser.visit(`${world.start}?redirect_to=${encodeURIComponent(`${app}notes?tab=2`)}`, app);
  assert.equal(url, `${app}notes?tab=2`);
  assert.equal(await whoIs(browser, world), "ada");
  assert.deepEqual(browser.cookies(world.url), ["AuthSession"], "what the flow kept is gone");
  const own = await browser.fetch(`${world.url}/_me`);
  assert.equal((await jsonOf(own)).db_name, "userdb-616461");
  const { sessions } = await jsonOf(await browser.fetch(`${world.url}/_settee/sessions`));
  assert.equal(sessions.length, 1);
  const { providers } = (await world.client.get("/_settee/oidc")).json();
  assert.deepEqual(providers, [{ name: "school", label: "The school", start: "/_settee/oidc/school/start" }]);

  const second = new Browser();
  await second.visit(world.start, app);
  assert.equal(await whoIs(second, world), "ada", "the same person has the same account");
  world.provider.person = { ...ada, sub: "4712" };
  const third = new Browser();
  await third.visit(world.start, app);
  assert.equal(await whoIs(third, world), "ada-2");
});

test("an app gets a code, and tokens for it once, with its verifier", async (t) => {
  const world = await startWorld(t);
  const { client } = world;
  const { verifier, challenge } = pkce();
  const grant = (code: string, code_verifier = verifier) =>
    client.post("/_settee/token", { grant_type: "authorization_code", code, code_verifier, device: "phone" });
  const code = await codeFor(world, challenge);
  const all = await client.get("/_users/org.couchdb.user:ada", { authorization: world.adminAuthorization });
  assert.equal(all.status, 404, "no account before somebody asks for one");
  const [one, two] = await Promise.all([grant(code), grant(code)]);
  assert.deepEqual([one.status, two.status].sort(), [200, 400]);
  const { access_token: token } = (one.status === 200 ? one : two).json();
  const { userCtx } = (await client.get("/_session", { authorization: `Bearer ${token}` })).json();
  assert.equal(userCtx.name, "ada");
  assert.equal((await grant(code)).json().error, "invalid_grant");

  const other = await codeFor(world, challenge);
  assert.equal((await grant(other, pkce().verifier)).status, 400, "another's verifier");
  assert.equal((await grant(other)).status, 400, "and the code is used up");
  for (const bad of ["", "x", "__proto__", "../admins"]) assert.equal((await grant(bad)).status, 400);
});

test("the provider's answer counts in the browser that asked, and once", async (t) => {
  const world = await startWorld(t);
  const victim = new Browser();
  const attacker = new Browser();
  const { url: toCallback } = await attacker.visit(world.start, `${world.url}/_settee/oidc/school/callback`);
  const { response } = await victim.visit(toCallback, app);
  assert.equal(response?.status, 400, "log-in by somebody else's link");
  assert.equal(await whoIs(victim, world), null);
  const tampered = new URL(toCallback);
  tampered.searchParams.set("state", `${tampered.searchParams.get("state")}x`);
  assert.equal((await attacker.visit(tampered.href, app)).response?.status, 400);
  assert.equal((await attacker.visit(toCallback, app)).url, app);
  assert.equal(await whoIs(attacker, world), "ada");
  assert.equal((await attacker.visit(toCallback, app)).response?.status, 400, "used twice");
});

test("a code that was put into another's flow is refused: nonce and PKCE", async (t) => {
  const world = await startWorld(t);
  const callback = `${world.url}/_settee/oidc/school/callback`;
  const [one, two] = [new Browser(), new Browser()];
  const [first, second] = [await one.visit(world.start, callback), await two.visit(world.start, callback)];
  const mixed = new URL(second.url);
  mixed.searchParams.set("code", new URL(first.url).searchParams.get("code") as string);
  assert.equal((await two.visit(mixed.href, app)).url, `${app}?error=unauthorized`);
  assert.equal(await whoIs(two, world), null);
});

test("redirect only to configured app URLs", async (t) => {
  const world = await startWorld(t);
  const to = async (redirect: string) => {
    const reply = await fetch(`${world.start}?redirect_to=${encodeURIComponent(redirect)}`, { redirect: "manual" });
    return reply.status;
  };
  for (const good of [app, `${app}a/b?c=d`, mobile]) assert.equal(await to(good), 302, good);
  const bad = [
    "http://evil.example/",
    "http://app.example.evil.example/",
    "http://app.example@evil.example/",
    "http://user:pw@app.example/",
    "https://app.example/",
    "http://app.example:81/",
    "//evil.example/",
    "http:\\\\evil.example/",
    "javascript:alert(1)",
    "org.example.app:/other",
    "org.example.app://callback",
    "http://app.example/#fragment",
    "/relative",
    "",
  ];
  for (const url of bad) assert.equal(await to(url), 400, url);
  assert.equal((await fetch(world.start.replace("school", "elsewhere"), { redirect: "manual" })).status, 404);
  assert.equal((await fetch(`${world.start}?code_challenge=short`, { redirect: "manual" })).status, 400);
});

test("who turns round at the provider's, or has no account, comes back with an error", async (t) => {
  const world = await startWorld(t, { createAccounts: false });
  const browser = new Browser();
  assert.equal((await browser.visit(world.start, app)).url, `${app}?error=no_account`);
  world.provider.person = undefined;
  const again = new Browser();
  assert.equal((await again.visit(world.start, app)).url, `${app}?error=access_denied`);
  for (const each of [browser, again]) assert.equal(await whoIs(each, world), null);
});

test("Pre-registered address: an outside log-in never links itself to an account by its address", async (t) => {
  const world = await startWorld(t);
  const { client } = world;
  const squatter = { name: "mallory", password: "long enough", email: ada.email };
  await client.expect(201, "POST", "/_settee/signup", { body: squatter });
  await client.expect(201, "POST", "/_settee/signup", { body: { name: "ada", password: "long enough" } });
  for (const verified of [true, false]) {
    world.provider.person = { ...ada, sub: `sub-${verified}`, email_verified: verified };
    const browser = new Browser();
    await browser.visit(world.start, app);
    const name = await whoIs(browser, world);
    assert.ok(name !== "mallory" && name !== "ada" && name?.startsWith("ada-"), String(name));
  }
  const { identities } = (
    await client.get("/_settee/identities", { authorization: basic("mallory", "long enough") })
  ).json();
  assert.deepEqual(identities, []);
});

test("link and unlink: with a code of the app's own, to one account, and never away the only way in", async (t) => {
  const world = await startWorld(t);
  const { client } = world;
  for (const name of ["bob", "eve"]) {
    await client.expect(201, "POST", "/_settee/signup", { body: { name, password: "long enough" } });
  }
  const as = (name: string) => ({ authorization: basic(name, "long enough") });
  const link = async (name: string, { verifier, challenge } = pkce(), given = verifier) => {
    const body = { code: await codeFor(world, challenge), code_verifier: given };
    return client.post("/_settee/identities", body, as(name));
  };
  assert.equal((await link("bob", pkce(), pkce().verifier)).status, 400, "a code that the app did not begin");
  assert.equal((await link("bob")).status, 200);
  assert.equal((await link("bob")).status, 200, "twice is once");
  assert.equal((await link("eve")).status, 409);
  const list = async (name: string) => (await client.get("/_settee/identities", as(name))).json().identities;
  const [entry, ...more] = await list("bob");
  assert.deepEqual([entry.provider, entry.issuer, entry.email, more], ["school", world.provider.issuer, ada.email, []]);
  const browser = new Browser();
  await browser.visit(world.start, app);
  assert.equal(await whoIs(browser, world), "bob");

  assert.equal((await client.send("DELETE", `/_settee/identities/${entry.id}`, as("eve"))).status, 404);
  assert.equal((await client.send("DELETE", `/_settee/identities/${entry.id}`, as("bob"))).status, 200);
  assert.deepEqual(await list("bob"), []);
  const later = new Browser();
  await later.visit(world.start, app);
  assert.equal(await whoIs(later, world), "ada", "an account of its own");
  const [own] = (await jsonOf(await later.fetch(`${world.url}/_settee/identities`))).identities;
  const reply = await later.fetch(`${world.url}/_settee/identities/${own.id}`, { method: "DELETE" });
  assert.equal(reply.status, 403);
});

test("the owner of a user document cannot write identities into it", async (t) => {
  const world = await startWorld(t);
  const { client } = world;
  await client.expect(201, "POST", "/_settee/signup", { body: { name: "bob", password: "long enough" } });
  const path = "/_users/org.couchdb.user:bob";
  const document = (await client.expect(200, "GET", path, { authorization: world.adminAuthorization })).json();
  const claimed = { issuer: world.provider.issuer, subject: ada.sub, provider: "school", linked_at: "2026" };
  const body = { ...document, identities: [claimed] };
  const reply = await client.put(path, body, { authorization: basic("bob", "long enough") });
  assert.deepEqual([reply.status, reply.json().reason], [403, "Only _admin may edit identities"]);
});

test("a provider that cannot be reached is told, and is not asked again at once", async (t) => {
  const world = await startWorld(t, { issuer: "http://127.0.0.1:1" });
  for (let count = 0; count < 3; count++) {
    const reply = await fetch(world.start, { redirect: "manual" });
    assert.equal(reply.status, 503);
    assert.equal((await jsonOf(reply)).error, "service_unavailable");
  }
});
