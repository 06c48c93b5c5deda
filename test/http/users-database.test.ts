/** `_users` for ordinary users: the requests that the plugin pouchdb-authentication makes, and what is not theirs. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { basic, type HttpReply } from "../helpers/http-client.js";
import { type SetteeHere, startSetteeHere } from "../helpers/settee-here.js";
import { waitFor } from "../helpers/wait-for.js";

let here: SetteeHere;
before(async () => {
  here = await startSetteeHere();
});
after(() => here.close());

const idOf = (name: string): string => `org.couchdb.user:${name}`;
const pathOf = (name: string): string => `/_users/${encodeURIComponent(idOf(name))}`;
const cookieOf = (reply: HttpReply): string => (reply.headers["set-cookie"]?.[0] ?? "").split(";")[0] as string;

/** As the plugin's functions of these names: `updateUser`, `getUser` and so on of its version 1.1.3. */
function plugin(cookie?: string) {
  const headers: Record<string, string> = cookie === undefined ? {} : { cookie };
  const { client } = here;
  return {
    signUp: (name: string, password: string, metadata: object = {}) => {
      const body = { name, password, roles: [], type: "user", _id: idOf(name), ...metadata };
      return client.put(pathOf(name), body, { headers });
    },
    logIn: (name: string, password: string) => client.post("/_session", { name, password }),
    getSession: () => client.get("/_session", { headers }),
    logOut: () => client.send("DELETE", "/_session", { headers }),
    getUser: (name: string) => client.get(pathOf(name), { headers }),
    async putUser(name: string, metadata: object) {
      const user = (await client.get(pathOf(name), { headers })).json();
      return client.put(pathOf(name), { ...user, ...metadata }, { headers });
    },
    async changePassword(name: string, password: string) {
      const user = (await client.get(pathOf(name), { headers })).json();
      return client.put(pathOf(name), { ...user, password }, { headers });
    },
    async deleteUser(name: string) {
      const user = (await client.get(pathOf(name), { headers })).json();
      return client.send("DELETE", `${pathOf(name)}?rev=${user._rev}`, { headers });
    },
  };
}

describe("_users as pouchdb-authentication uses it", () => {
  it("signUp, logIn, getSession, getUser, putUser, changePassword, deleteUser", async () => {
    const guest = plugin();
    const metadata = { email: "robin@example.org", birthday: "1932-03-27T00:00:00.000Z" };
    const signUp = await guest.signUp("robin", "dickgrayson", { ...metadata });
    assert.deepEqual([signUp.status, signUp.json().id], [201, idOf("robin")]);
    assert.equal((await guest.signUp("robin", "another one")).status, 409);
    const cookie = cookieOf(await guest.logIn("robin", "dickgrayson"));
    const robin = plugin(cookie);
    assert.equal((await robin.getSession()).json().userCtx.name, "robin");

    const user = (await robin.getUser("robin")).json();
    assert.deepEqual([user.name, user.birthday, user.roles], ["robin", metadata.birthday, []]);
    for (const secret of ["derived_key", "salt", "password", "password_sha", "totp"])
      assert.equal(secret in user, false);
    const put = await robin.putUser("robin", { email: "robin@next.example.org", likes: ["acrobatics"] });
    assert.equal(put.status, 201, put.text);
    assert.deepEqual((await robin.getUser("robin")).json().likes, ["acrobatics"]);
    assert.equal((await robin.getSession()).json().userCtx.name, "robin", "the session goes on");
    // The database of a user who signed up so is there as well.
    assert.equal((await here.client.get("/_me", { headers: { cookie } })).status, 200);

    assert.equal((await robin.changePassword("robin", "mostawesomesidekick")).status, 201);
    assert.equal((await robin.getSession()).json().userCtx.name, null);
    assert.equal((await guest.logIn("robin", "dickgrayson")).status, 401);
    const again = plugin(cookieOf(await guest.logIn("robin", "mostawesomesidekick")));
    assert.equal((await again.deleteUser("robin")).status, 200);
    assert.equal((await again.getSession()).json().userCtx.name, null);
    // Whose database is still there is nobody's name to take.
    assert.equal((await guest.signUp("robin", "dickgrayson")).status, 409);
  });

  it("an address that was given so is mailed to, and counts when it was verified", async () => {
    await plugin().signUp("alfred", "pennyworth", { email: "alfred@example.org" });
    const mail = await waitFor("the mail", async () => {
      const { mails } = (await here.client.get("/_settee/dev/mail")).json();
      return mails.find(({ to }: { to: string }) => to === "alfred@example.org");
    });
    const token = /token=([\w-]+)/.exec(mail.text)?.[1];
    assert.equal((await plugin().logIn("alfred@example.org", "pennyworth")).status, 401);
    await here.client.expect(200, "POST", "/_settee/email/verify", { body: { token } });
    assert.equal((await plugin().logIn("alfred@example.org", "pennyworth")).json().name, "alfred");
    // The verified one stays the account's, whatever its owner writes.
    const authorization = basic("alfred", "pennyworth");
    const user = (await here.client.get(pathOf("alfred"), { authorization })).json();
    await here.client.expect(201, "PUT", pathOf("alfred"), {
      body: { ...user, email: "x@example.org" },
      authorization,
    });
    const forged = { ...user, _rev: undefined, verified_email: "victim@example.org" };
    assert.equal((await here.client.put(`${pathOf("alfred")}?rev=2-x`, forged, { authorization })).status, 403);
    assert.equal((await plugin().logIn("alfred@example.org", "pennyworth")).status, 200);
  });

  it("nobody else's document is theirs, whatever the path is called", async () => {
    for (const name of ["bruce", "selina"]) assert.equal((await plugin().signUp(name, "long enough")).status, 201);
    const as = { authorization: basic("selina", "long enough") };
    const guest = { authorization: null };
    const paths = [
      pathOf("bruce"),
      "/_users/org.couchdb.user:bruce",
      "//_users//org.couchdb.user:bruce/",
      "/%5Fusers/org.couchdb.user%3abruce",
      `${pathOf("bruce")}?open_revs=all`,
      `${pathOf("bruce")}?revs=true&attachments=true`,
    ];
    for (const who of [as, guest]) {
      for (const path of paths) {
        for (const method of ["GET", "HEAD"]) {
          assert.equal((await here.client.send(method, path, who)).status, 404, `${method} ${path}`);
        }
      }
      const unknown = await here.client.get(pathOf("nobody"), who);
      assert.equal((await here.client.get(pathOf("bruce"), who)).text, unknown.text);
      assert.equal((await here.client.send("DELETE", pathOf("bruce"), who)).status, 404);
      const revision = { _id: idOf("bruce"), name: "bruce", type: "user", roles: [], password: "stolen by me" };
      const statuses = [409, 404];
      assert.ok(statuses.includes((await here.client.put(pathOf("bruce"), revision, who)).status));
      assert.ok(
        statuses.includes((await here.client.put(`${pathOf("bruce")}?new_edits=false&rev=9-aa`, revision, who)).status),
      );
      assert.ok(
        statuses.includes((await here.client.put(pathOf("bruce"), { ...revision, _deleted: true }, who)).status),
      );
    }
    assert.equal((await plugin().logIn("bruce", "long enough")).status, 200);
  });

  it("nothing but their document is theirs", async () => {
    const as = { authorization: basic("selina", "long enough") };
    const closed: readonly [string, string, unknown?][] = [
      ["GET", "/_users"],
      ["GET", "/_users/_all_docs"],
      ["POST", "/_users/_all_docs", { keys: [idOf("selina")] }],
      ["GET", "/_users/_changes"],
      ["POST", "/_users/_bulk_get", { docs: [{ id: idOf("selina") }] }],
      ["POST", "/_users/_bulk_docs", { docs: [] }],
      ["POST", "/_users/_revs_diff", {}],
      ["GET", "/_users/_security"],
      ["GET", "/_users/_design_docs"],
      ["GET", "/_users/_local_docs"],
      ["GET", "/_users/_local/x"],
      ["GET", "/_users/_local%2Fx"],
      ["PUT", "/_users/_local%2Fx", {}],
      ["PUT", "/_users/_local/x", {}],
      ["PUT", "/_users/_design%2Fx", {}],
      ["PUT", "/_users/_design/x", {}],
      ["GET", "/_users/_design/x"],
      ["COPY", pathOf("selina")],
      ["GET", `${pathOf("selina")}/picture.png`],
      ["PUT", `${pathOf("selina")}/picture.png`, {}],
      ["POST", "/_users", {}],
      ["POST", "/_users/_purge", {}],
    ];
    for (const who of [as, { authorization: null }]) {
      for (const [method, path, body] of closed) {
        const { status } = await here.client.send(method, path, { body, ...who });
        assert.ok(status === 401 || status === 403, `${method} ${path}: ${status}`);
      }
    }
  });

  it("rights are not for writing into one's document, nor into another's new one", async () => {
    const as = { authorization: basic("selina", "long enough") };
    const user = (await here.client.get(pathOf("selina"), as)).json();
    const members = [
      { roles: ["x"] },
      { roles: ["_admin"] },
      { databases: [] },
      { verified_email: "a@example.org" },
      { disabled: false },
    ];
    for (const member of members) {
      assert.equal(
        (await here.client.put(pathOf("selina"), { ...user, ...member }, as)).status,
        403,
        JSON.stringify(member),
      );
    }
    const twice = `{"_id":"${idOf("twice")}","name":"twice","type":"user","password":"long enough","roles":["_admin"],"roles":[]}`;
    await here.client.put(pathOf("twice"), twice, { authorization: null });
    const admin = { authorization: here.adminAuthorization };
    assert.deepEqual((await here.client.get(pathOf("twice"), admin)).json().roles, []);
  });

  it("sign-up by writing follows the setting", async () => {
    for (const signUp of ["invitation", "administrators", "closed"] as const) {
      const closed = await startSetteeHere({ accounts: { signUp } });
      const body = { _id: idOf("joker"), name: "joker", type: "user", roles: [], password: "long enough" };
      assert.equal((await closed.client.put(pathOf("joker"), body)).status, 403);
      await closed.client.expect(201, "PUT", pathOf("joker"), { body, authorization: closed.adminAuthorization });
      await closed.close();
    }
  });
});
