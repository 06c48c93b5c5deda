import assert from "node:assert/strict";
import { test } from "node:test";
import { mailDatabase } from "../../server/gateway/system-databases.js";
import { accountsWorld, sender } from "../helpers/accounts-world.js";
import { waitFor } from "../helpers/wait-for.js";

test("a mail leaves when it is queued, and only it is looked at", async (t) => {
  const { gateway, backend } = await accountsWorld(t);
  const job = sender(gateway, backend);
  job.start();
  const listings = backend.calls.get("listDocuments") ?? 0;
  t.after(() => job.stop());
  const mails = () => gateway.people.developmentMails ?? [];
  const addresses = Array.from({ length: 20 }, (_, n) => `user${n}@example.org`);
  await Promise.all(addresses.map((email, n) => gateway.signUp({ name: `user${n}`, password: "long enough", email })));
  await waitFor("all mails", () => mails().length === 20);
  assert.deepEqual(
    mails()
      .map(({ to }) => to)
      .sort(),
    [...addresses].sort(),
  );
  assert.equal(backend.calls.get("listDocuments") ?? 0, listings);
  await job.stop();
  await gateway.people.mails.resetPassword({ address: "user1@example.org" }, {});
  const left = await backend.listDocuments(mailDatabase, {});
  assert.equal(left.length, 1, "nothing is sent by a job that was stopped");
});
