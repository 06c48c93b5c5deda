import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Secret, TOTP } from "otpauth";
import { tokenIn } from "../../helpers/accounts-world.js";
import { basic, type HttpReply } from "../../helpers/http-client.js";
import { type SetteeHere, startSetteeHere } from "../../helpers/settee-here.js";
import { waitFor } from "../../helpers/wait-for.js";

interface DevelopmentMail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
}

let here: SetteeHere;
before(async () => {
  here = await startSetteeHere();
});
after(() => here.close());

const password = "long enough";
const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  here.client.post(`/_settee/${path}`, body, { headers });
const mails = async (): Promise<readonly DevelopmentMail[]> =>
  (await here.client.get("/_settee/dev/mail")).json().mails;
const mailTo = (to: string, subject: RegExp) =>
  waitFor(`a mail to ${to}`, async () => (await mails()).find((mail) => mail.to === to && subject.test(mail.subject)));
const cookieOf = (reply: HttpReply): string => (reply.headers["set-cookie"]?.[0] ?? "").split(";")[0] as string;

async function signedUp(name: string): Promise<{ readonly email: string; readonly authorization: string }> {
  const email = `${name}@example.org`;
  assert.equal((await post("signup", { name, password, email })).status, 201);
  const { text } = await mailTo(email, /confirm/);
  assert.equal((await post("email/verify", { token: tokenIn(text) })).status, 200);
  return { email, authorization: basic(name, password) };
}

describe("accounts over HTTP", () => {
  it("sign-up, verified address, log-in by it, new password, farewell", async () => {
    const { email, authorization } = await signedUp("ada");
    const session = await here.client.post("/_session", { name: email, password });
    assert.deepEqual([session.status, session.json().name], [200, "ada"]);
    const cookie = cookieOf(session);

    const account = (await here.client.get("/_settee/account", { headers: { cookie } })).json();
    const { created_at, ...rest } = account;
    assert.match(created_at, /^\d{4}-.*Z$/);
    assert.deepEqual(rest, {
      name: "ada",
      email,
      email_verified: true,
      roles: [],
      anonymous: false,
      disabled: false,
      second_factor: false,
      databases: ["userdb-616461"],
    });
    const changed = await here.client.put("/_settee/account", { display_name: "Ada" }, { headers: { cookie } });
    assert.equal(changed.json().display_name, "Ada");

    const passwordChange = await post("password/change", { password, new_password: "a new password" }, { cookie });
    assert.equal(passwordChange.status, 200);
    assert.equal((await here.client.get("/_settee/account", { headers: { cookie } })).status, 401);
    const renewed = cookieOf(passwordChange);
    assert.equal((await here.client.get("/_settee/account", { headers: { cookie: renewed } })).status, 200);
    await mailTo(email, /password was changed/);
    assert.equal((await here.client.get("/_session", { authorization })).status, 401);

    const activity = (await here.client.get("/_settee/account/activity", { headers: { cookie: renewed } })).json();
    const kinds = activity.activity.map(({ kind }: { kind: string }) => kind);
    assert.deepEqual(kinds.slice(-3), ["logged_in", "email_verified", "signed_up"]);
    assert.equal(activity.activity[0].address, "127.0.0.1");

    assert.equal((await post("account/delete", { password }, { cookie: renewed })).status, 403);
    const gone = await post("account/delete", { password: "a new password" }, { cookie: renewed });
    assert.equal(gone.status, 200);
    assert.equal((await here.client.get("/_settee/account", { headers: { cookie: renewed } })).status, 401);
    const admin = { authorization: here.adminAuthorization };
    const { databases } = (await here.client.get("/_settee/trash", admin)).json();
    assert.deepEqual(
      databases.map(({ name, because }: { name: string; because: string }) => [name, because]),
      [["userdb-616461", "account"]],
    );
    assert.equal((await here.client.get("/_users/org.couchdb.user:ada", admin)).status, 404);
  });

  it("answers alike for known and unknown addresses, and never with a token", async () => {
    const { email } = await signedUp("bert");
    for (const path of ["password/forgot", "magic-link"]) {
      const replies = await Promise.all([email, "nobody@example.org"].map((each) => post(path, { email: each })));
      for (const reply of replies) {
        assert.deepEqual([reply.status, reply.text], [202, '{"ok":true}\n'], path);
      }
    }
    const { text } = await mailTo(email, /new password/);
    const link = await mailTo(email, /link to log in/);
    const reset = await post("password/reset", { token: tokenIn(text), password: "another one" });
    assert.deepEqual([reset.status, reset.json()], [200, { ok: true }]);
    assert.equal((await here.client.post("/_session", { name: "bert", password: "another one" })).status, 200);
    // Whom the password reset outran.
    assert.equal((await post("magic-link/session", { token: tokenIn(link.text) })).status, 403);
  });

  it("a magic link gives a cookie or tokens", async () => {
    const { email } = await signedUp("cleo");
    await post("magic-link", { email });
    const first = tokenIn((await mailTo(email, /log in/)).text);
    const session = await post("magic-link/session", { token: first });
    assert.deepEqual([session.status, session.json()], [200, { ok: true, name: "cleo", roles: [] }]);
    const who = await here.client.get("/_session", { headers: { cookie: cookieOf(session) } });
    assert.equal(who.json().userCtx.name, "cleo");
    await post("magic-link", { email });
    const second = await waitFor("another link", async () =>
      (await mails())
        .map(({ text }) => /token=([\w-]+)/.exec(text)?.[1])
        .find((token, index) => index === 0 && token !== first),
    );
    const tokens = await post("magic-link/token", { token: second });
    assert.equal(tokens.status, 200, tokens.text);
    const bearer = `Bearer ${tokens.json().access_token}`;
    assert.equal((await here.client.get("/_session", { authorization: bearer })).json().userCtx.name, "cleo");
  });

  it("an anonymous account is claimed", async () => {
    const made = (await post("anonymous", {})).json();
    const authorization = basic(made.name, made.password);
    await here.client.expect(201, "PUT", "/_me/note", { body: { type: "note" }, authorization });
    const claim = { password, display_name: "Dora" };
    const claimed = await here.client.post("/_settee/claim", claim, { authorization });
    assert.deepEqual([claimed.status, claimed.json().anonymous], [200, false]);
    const now = basic(made.name, password);
    assert.equal((await here.client.get("/_me/note", { authorization: now })).json().type, "note");
    assert.equal((await here.client.post("/_settee/claim", claim, { authorization: now })).status, 409);
  });

  it("a second factor", async () => {
    const { authorization } = await signedUp("emil");
    const asEmil = { authorization };
    const setup = (await here.client.post("/_settee/totp/setup", { password }, asEmil)).json();
    const totp = new TOTP({ secret: Secret.fromBase32(setup.secret) });
    const enabled = await here.client.post("/_settee/totp/enable", { totp: totp.generate() }, asEmil);
    assert.equal(enabled.json().recovery_codes.length, 10);
    const basicOnly = await here.client.get("/_me", asEmil);
    assert.deepEqual([basicOnly.status, basicOnly.json().totp], [401, true]);
    const without = await here.client.post("/_session", { name: "emil", password });
    assert.deepEqual([without.status, without.json().totp], [401, true]);
    const [first, second] = enabled.json().recovery_codes;
    const session = await here.client.post("/_session", { name: "emil", password, token: first });
    assert.equal(session.status, 200);
    const headers = { cookie: cookieOf(session) };
    const needsCode = await post("totp/disable", { password }, headers);
    assert.equal(needsCode.status, 403);
    assert.equal((await post("totp/disable", { password, totp: second }, headers)).status, 200);
    assert.equal((await here.client.get("/_me", asEmil)).status, 200);
  });

  it("who looks after accounts", async () => {
    const asAdmin = { authorization: here.adminAuthorization };
    await here.client.expect(201, "POST", "/_settee/users", { body: { name: "mia", password }, ...asAdmin });
    const asMia = { authorization: basic("mia", password) };
    assert.equal((await here.client.get("/_settee/users", asMia)).status, 401);
    await here.client.expect(200, "PUT", "/_settee/users/mia", { body: { roles: ["user-manager"] }, ...asAdmin });
    const made = await here.client.post("/_settee/users", { name: "fay", password, roles: ["team"] }, asMia);
    assert.equal(made.status, 201);
    const list = await here.client.get("/_settee/users?prefix=f&limit=1", asMia);
    assert.deepEqual(
      list.json().users.map(({ name }: { name: string }) => name),
      ["fay"],
    );
    assert.equal((await here.client.get("/_settee/users?limit=0", asMia)).status, 400);
    assert.equal((await here.client.get("/_settee/users/nobody", asMia)).status, 404);
    assert.equal((await here.client.get("/_settee/users/fay/activity", asMia)).json().activity[0].by, "mia");
    for (const roles of [["user-manager"], ["_admin"], ["_metrics"]]) {
      const refused = await here.client.put("/_settee/users/fay", { roles }, asMia);
      assert.ok(refused.status === 403 || refused.status === 400, refused.text);
    }
    const set = await here.client.post("/_settee/users/fay/password", { password: "set by mia" }, asMia);
    assert.equal(set.status, 200);
    assert.equal((await here.client.get("/_me", { authorization: basic("fay", "set by mia") })).status, 200);
    await here.client.expect(200, "PUT", "/_settee/users/fay", { body: { disabled: true }, ...asMia });
    assert.equal((await here.client.get("/_me", { authorization: basic("fay", "set by mia") })).status, 401);
    await here.client.expect(200, "DELETE", "/_settee/users/fay", asMia);
    // A manager is no server administrator.
    for (const path of ["/_all_dbs", "/_users/_all_docs", "/userdb-616461", "/settee_accounts", "/settee_mail"]) {
      const reply = await here.client.get(path, asMia);
      assert.ok([401, 403, 404].includes(reply.status), `${path}: ${reply.status}`);
    }
    const invited = await here.client.post("/_settee/signup/invitations", { uses: 2 }, asMia);
    assert.equal(invited.status, 201);
    const listed = (await here.client.get("/_settee/signup/invitations", asMia)).json().invitations;
    assert.deepEqual(
      listed.map(({ id }: { id: string }) => id),
      [invited.json().id],
    );
    await here.client.expect(200, "DELETE", `/_settee/signup/invitations/${invited.json().id}`, asMia);
    await here.client.expect(404, "DELETE", `/_settee/signup/invitations/${invited.json().id}`, asMia);
  });

  it("a server administrator has no account of their own here", async () => {
    const asAdmin = { authorization: here.adminAuthorization };
    for (const path of ["account", "account/activity", "account/export"]) {
      assert.equal((await here.client.get(`/_settee/${path}`, asAdmin)).status, 404, path);
    }
    const change = { password: "a-long-password-for-tests", new_password: "another one" };
    assert.equal((await here.client.post("/_settee/password/change", change, asAdmin)).status, 404);
  });

  it("mails of development are for this machine's own eyes", async () => {
    assert.equal((await here.client.get("/_settee/dev/mail")).status, 200);
    const strangers: Record<string, string>[] = [
      { host: "evil.example" },
      { host: "127.0.0.1.evil.example" },
      { "x-forwarded-for": "192.0.2.1" },
      { forwarded: "for=192.0.2.1" },
      { via: "1.1 proxy" },
    ];
    for (const headers of strangers) {
      assert.equal((await here.client.get("/_settee/dev/mail", { headers })).status, 404, JSON.stringify(headers));
    }
    const real = await startSetteeHere({ mail: { smtp: "smtp://127.0.0.1:1", from: "a@example.org" } });
    assert.equal((await real.client.get("/_settee/dev/mail")).status, 404);
    await real.close();
  });
});

describe("pages that links in mails open", () => {
  const form = (fields: Record<string, string>, headers: Record<string, string> = {}) => ({
    body: new URLSearchParams(fields).toString(),
    headers: { "content-type": "application/x-www-form-urlencoded", ...headers },
  });
  const page = (kind: string) => `/_settee/pages/${kind}`;

  it("opening one changes nothing, its button does", async () => {
    await post("signup", { name: "gus", password, email: "gus@example.org" });
    const token = tokenIn((await mailTo("gus@example.org", /confirm/)).text);
    const link = `${page("verify-email")}?token=${token}`;
    for (const method of ["GET", "HEAD", "GET"]) assert.equal((await here.client.send(method, link)).status, 200);
    const shown = await here.client.get(link);
    assert.match(String(shown.headers["content-type"]), /^text\/html/);
    assert.match(String(shown.headers["content-security-policy"]), /default-src 'none'/);
    assert.equal(shown.headers["referrer-policy"], "no-referrer");
    const as = { authorization: basic("gus", password) };
    assert.equal((await here.client.get("/_settee/account", as)).json().email_verified, false);

    const cross = form({ token }, { origin: "https://evil.example" });
    assert.equal((await here.client.send("POST", page("verify-email"), cross)).status, 403);
    const crossSite = form({ token }, { "sec-fetch-site": "cross-site" });
    assert.equal((await here.client.send("POST", page("verify-email"), crossSite)).status, 403);
    const done = await here.client.send(
      "POST",
      page("verify-email"),
      form({ token }, { "sec-fetch-site": "same-origin" }),
    );
    assert.deepEqual([done.status, /confirmed/.test(done.text)], [200, true]);
    assert.equal((await here.client.get("/_settee/account", as)).json().email_verified, true);
    assert.equal((await here.client.send("POST", page("verify-email"), form({ token }))).status, 403);
  });

  it("a password that is too short costs no token", async () => {
    await post("password/forgot", { name: "gus" });
    const token = tokenIn((await mailTo("gus@example.org", /new password/)).text);
    const short = await here.client.send("POST", page("reset-password"), form({ token, password: "short" }));
    assert.equal(short.status, 400);
    assert.ok(short.text.includes(`value="${token}"`));
    const good = await here.client.send("POST", page("reset-password"), form({ token, password: "long enough too" }));
    assert.equal(good.status, 200);
    await post("magic-link", { email: "gus@example.org" });
    const link = tokenIn((await mailTo("gus@example.org", /log in/)).text);
    const loggedIn = await here.client.send("POST", page("magic-link"), form({ token: link, totp: "" }));
    const who = await here.client.get("/_session", { headers: { cookie: cookieOf(loggedIn) } });
    assert.equal(who.json().userCtx.name, "gus");
  });

  it("what a link says is no markup, and there are no other pages", async () => {
    const shown = await here.client.get(`${page("magic-link")}?token=${encodeURIComponent('"><script>x</script>')}`);
    assert.doesNotMatch(shown.text, /<script/);
    for (const kind of ["", "x", "constructor", "__proto__", "..%2fdev"]) {
      assert.equal((await here.client.get(page(kind))).status, 404, kind);
    }
  });

  it("leads to the app where there is one", async (t) => {
    const other = await startSetteeHere({
      accounts: { appUrl: "https://app.example.org/start", links: { verifyEmail: "myapp://verify/{token}" } },
      publicUrl: "https://sync.example.org/",
    });
    t.after(() => other.close());
    await other.client.post("/_settee/signup", { name: "hal", password, email: "hal@example.org" });
    const mailsOf = async () => (await other.client.get("/_settee/dev/mail")).json().mails as DevelopmentMail[];
    const [verification] = await waitFor("the mail", async () => {
      const found = await mailsOf();
      return found.length > 0 ? found : undefined;
    });
    const token = /myapp:\/\/verify\/([\w-]{43})/.exec(verification?.text ?? "")?.[1] as string;
    await other.client.expect(200, "POST", "/_settee/email/verify", { body: { token } });
    await other.client.post("/_settee/magic-link", { email: "hal@example.org" });
    const link = await waitFor("the link", async () => (await mailsOf()).find(({ subject }) => /log in/.test(subject)));
    assert.match(link.text, /https:\/\/sync\.example\.org\/_settee\/pages\/magic-link\?token=/);
    const shown = await other.client.get(`${page("magic-link")}?token=x`);
    assert.match(String(shown.headers["content-security-policy"]), /form-action 'self' https:\/\/app\.example\.org;/);
    const done = await other.client.send("POST", page("magic-link"), form({ token: tokenIn(link.text) }));
    assert.deepEqual([done.status, done.headers.location], [303, "https://app.example.org/start"]);
    assert.match(cookieOf(done), /^AuthSession=/);
  });
});
