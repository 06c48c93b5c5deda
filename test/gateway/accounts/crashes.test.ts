import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { parseDatabaseName, parseDocId, parseUserName } from "../../../protocol/ids.js";
import type { Gateway } from "../../../server/gateway/gateway.js";
import { MailTemplates } from "../../../server/gateway/mail/mail-templates.js";
import { accountsDatabase, mailDatabase } from "../../../server/gateway/system-databases.js";
import { provisioningReconciler } from "../../../server/jobs/provisioning-reconciler.js";
import { trashCollector } from "../../../server/jobs/trash-collector.js";
import { asker, mailbox, sender, tokenIn } from "../../helpers/accounts-world.js";
import { Clock, identity, newGateway, origin, users, type WorldOptions, world } from "../../helpers/gateway-world.js";
import { failingFrom, InjectedFault, MemoryBackend } from "../../helpers/memory-backend.js";

const password = "long enough";
const ada = { name: "ada", password, email: "ada@example.org" };
const name = parseUserName("ada");
const admin = identity("admin", ["_admin"]);

/** A gateway after the crash, over the same store: what every start does has been done. */
interface After {
  readonly gateway: Gateway;
  readonly backend: MemoryBackend;
  readonly clock: Clock;
  /** The subjects of mails sent by now. */
  readonly subjects: () => Promise<readonly string[]>;
  readonly tokenFor: (address: string) => Promise<string>;
}

interface Story<Given> {
  readonly prepare: (before: After) => Promise<Given>;
  /** Several steps, any of which may be the last one of the process. */
  readonly act: (gateway: Gateway, given: Given) => Promise<unknown>;
  /** What somebody does who saw it fail, and what must be so in the end. */
  readonly check: (after: After, given: Given, isDone: boolean) => Promise<void>;
  /** Steps at least: fewer were not tried. */
  readonly least: number;
}

const stories: Readonly<Record<string, Story<never>>> = {
  "a sign-up with an address": {
    least: 10,
    prepare: async () => undefined as never,
    act: (gateway) => gateway.signUp(ada, asker),
    async check({ gateway, backend, clock, subjects }) {
      if (!(await backend.getDocument(users, parseDocId("org.couchdb.user:ada")))) {
        assert.deepEqual(await subjects(), [], "nobody is mailed about an account that is not there");
        await gateway.signUp(ada, asker);
      }
      const sent = await subjects();
      assert.ok(sent.length >= 1 && sent.every((subject) => subject === "Please confirm your address"), String(sent));
      // What was queued for a sign-up that never was, is dropped.
      clock.advance(3600);
      await subjects();
      assert.deepEqual(await backend.listDocuments(mailDatabase, {}), []);
      await gateway.logIn(ada, origin);
    },
  },
  "a sign-up with an invitation": {
    least: 8,
    prepare: (async ({ gateway }: After) => (await gateway.people.managed.invite(admin, {}, asker)).code) as never,
    act: (gateway, code) => gateway.signUp({ name: "ada", password, invitation: code }, asker),
    async check({ gateway, backend, clock }, code) {
      if (!(await backend.getDocument(users, parseDocId("org.couchdb.user:ada")))) {
        clock.advance(3600);
        // Not even under the name of the first attempt.
        await gateway.signUp({ name: "other", password, invitation: code }, asker);
        await assert.rejects(gateway.signUp({ name: "third", password, invitation: code }, asker));
      } else {
        await assert.rejects(gateway.signUp({ name: "other", password, invitation: code }, asker));
      }
    },
  },
  "the verification of an address": {
    least: 4,
    prepare: (async ({ gateway, tokenFor }: After) => {
      await gateway.signUp(ada, asker);
      return tokenFor(ada.email);
    }) as never,
    act: (gateway, token) => gateway.people.emails.verify(token, asker),
    async check({ gateway, tokenFor }, token) {
      const { own, emails } = gateway.people;
      if (!(await own.describe(name)).email_verified) {
        await emails.verify(token, asker).catch(async () => {
          await emails.sendVerification(name, asker);
          await emails.verify(await tokenFor(ada.email), asker);
        });
      }
      assert.equal((await gateway.logIn({ name: ada.email, password }, origin)).identity.name, "ada");
    },
  },
  "another address": {
    least: 7,
    prepare: (async ({ gateway, tokenFor, subjects }: After) => {
      const { emails } = gateway.people;
      await gateway.signUp(ada, asker);
      await emails.verify(await tokenFor(ada.email), asker);
      await emails.change(name, "next@example.org", asker);
      const token = await tokenFor("next@example.org");
      await subjects();
      return token;
    }) as never,
    act: (gateway, token) => gateway.people.emails.verify(token, asker),
    async check({ gateway, tokenFor, clock, subjects }) {
      const { own, emails } = gateway.people;
      const isChanged = async () => (await own.describe(name)).email === "next@example.org";
      if (!(await isChanged())) {
        assert.equal((await gateway.logIn({ name: ada.email, password }, origin)).identity.name, "ada");
        await emails.sendVerification(name, asker);
        await emails.verify(await tokenFor("next@example.org"), asker);
      }
      assert.ok(await isChanged());
      clock.advance(60);
      assert.ok((await subjects()).includes("Your address was changed"), "the former address is told");
      assert.equal((await gateway.logIn({ name: "next@example.org", password }, origin)).identity.name, "ada");
      await assert.rejects(gateway.logIn({ name: ada.email, password }, origin));
      // And it is free for somebody else.
      await gateway.signUp({ name: "bob", password, email: ada.email }, asker);
      await emails.verify(await tokenFor(ada.email), asker);
    },
  },
  "a new password by a token": {
    least: 5,
    prepare: (async ({ gateway, tokenFor }: After) => {
      await gateway.signUp(ada, asker);
      await gateway.people.emails.verify(await tokenFor(ada.email), asker);
      await gateway.people.passwords.forgot({ address: ada.email }, asker);
      return tokenFor(ada.email);
    }) as never,
    act: (gateway, token) => gateway.people.passwords.reset(token, "a new password", asker),
    async check({ gateway, tokenFor, subjects, clock }) {
      const { passwords } = gateway.people;
      const isNew = await gateway.logIn({ name: "ada", password: "a new password" }, origin).then(
        () => true,
        () => false,
      );
      if (!isNew) {
        await gateway.logIn(ada, origin);
        assert.equal((await subjects()).includes("Your password was changed"), false);
        await passwords.forgot({ address: ada.email }, asker);
        await passwords.reset(await tokenFor(ada.email), "a new password", asker);
      }
      clock.advance(60);
      assert.ok((await subjects()).includes("Your password was changed"));
      await gateway.logIn({ name: "ada", password: "a new password" }, origin);
    },
  },
  "the removal of an account": {
    least: 8,
    prepare: (async ({ gateway, tokenFor }: After) => {
      await gateway.signUp(ada, asker);
      await gateway.people.emails.verify(await tokenFor(ada.email), asker);
    }) as never,
    act: (gateway) => gateway.people.removal.remove(name),
    async check({ gateway, backend, tokenFor }) {
      const document = await backend.getDocument(users, parseDocId("org.couchdb.user:ada"));
      if (document) {
        // Nothing was begun: the user tries again.
        assert.equal(document.removed, undefined, "the start has finished it");
        await gateway.logIn(ada, origin);
        await gateway.people.removal.remove(name);
      }
      assert.equal(await backend.getDocument(users, parseDocId("org.couchdb.user:ada")), undefined);
      assert.equal(await backend.databaseExists(parseDatabaseName("userdb-616461")), false);
      assert.equal(await gateway.registry.find(parseDatabaseName("userdb-616461")), undefined);
      const left = await backend.listDocuments(accountsDatabase, {});
      assert.deepEqual(
        left.filter(({ _id }) => !_id.startsWith("token-")),
        [],
      );
      await assert.rejects(gateway.logIn(ada, origin));
      // Name and address are free.
      await gateway.signUp(ada, asker);
      await gateway.people.emails.verify(await tokenFor(ada.email), asker);
    },
  },
};

for (const [title, story] of Object.entries(stories)) {
  for (const moment of ["before", "after"] as const) {
    test(`${title}: a crash ${moment} any step leaves nothing that a repeat or the next start does not repair`, async (t) => {
      let steps = 0;
      for (let n = 1; ; n++) {
        const { backend, clock, given } = await prepared(t, story);
        const dying = newGateway(failingFrom(backend, n, moment), clock, { sharing: { trashSeconds: 0 } });
        const isDone = await story.act(dying, given).then(
          () => true,
          (error: unknown) => {
            assert.ok(error instanceof InjectedFault, String(error));
            return false;
          },
        );
        const after = await started(t, backend, clock);
        await story.check(after, given, isDone);
        if (isDone && n > story.least) break;
        if (isDone) assert.fail(`only ${n - 1} steps were tried`);
        steps = n;
      }
      assert.ok(steps >= story.least);
    });
  }
}

async function prepared(t: TestContext, story: Story<never>) {
  const backend = new MemoryBackend();
  const clock = new Clock();
  const before = await started(t, backend, clock);
  return { backend, clock, given: await story.prepare(before) };
}

async function started(t: TestContext, backend: MemoryBackend, clock: Clock): Promise<After> {
  const transport = mailbox(clock.now);
  const templates = MailTemplates.shipped();
  const mail = { transport, templates, from: "a@example.org", publicUrl: () => "https://example.org" };
  // Erased at once, so that the name is free again.
  const options: WorldOptions = { backend, clock, mail, sharing: { trashSeconds: 0 } };
  const { gateway } = await world(t, options);
  const { provisioning, people } = gateway;
  const onError = (error: unknown): void => assert.fail(String(error));
  await provisioningReconciler({ backend, provisioning, removal: people.removal, onError }).run();
  await trashCollector({ backend, trash: gateway.sharing.trash, onError }).run();
  const subjects = async () => {
    await sender(gateway, backend).run();
    return transport.mails.map(({ subject }) => subject).reverse();
  };
  const tokenFor = async (address: string) => {
    await subjects();
    const found = transport.mails.find(({ to, text }) => to === address && text.includes("token="));
    assert.ok(found, `no mail to ${address}`);
    return tokenIn(found.text);
  };
  return { gateway, backend, clock, subjects, tokenFor };
}
