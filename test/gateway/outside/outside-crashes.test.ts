/** Whatever step a crash comes at, doing it again finishes it. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { SignJWT } from "jose";
import { parseDatabaseName, parseUserName } from "../../../protocol/ids.js";
import type { Gateway } from "../../../server/gateway/gateway.js";
import { OneTimeCodes } from "../../../server/gateway/outside/one-time-codes.js";
import type { JwtIssuer } from "../../../server/gateway/outside/outside-tokens.js";
import { Clock, newGateway, origin, users, world } from "../../helpers/gateway-world.js";
import { failingFrom, InjectedFault, MemoryBackend } from "../../helpers/memory-backend.js";

const issuer = "https://login.example";
const secret = Buffer.alloc(32, 5);
const trusted: JwtIssuer = {
  issuer,
  audience: "app",
  keys: [{ algorithm: "HS256", jwk: { kty: "oct", k: secret.toString("base64url") } }],
  algorithms: [],
  accounts: "linked",
  nameClaim: "name",
  roles: { claim: "roles" },
  createAccounts: true,
  clockTolerance: 0,
};
const clock = new Clock();
const options = { jwtIssuers: [trusted] };
const identities = parseDatabaseName("settee_identities");

const tokenOf = (sub: string): Promise<string> =>
  new SignJWT({ name: "ada" })
    .setProtectedHeader({ alg: "HS256" })
    .setSubject(sub)
    .setIssuer(issuer)
    .setAudience("app")
    .setExpirationTime(Math.floor(clock.now() / 1000) + 300)
    .sign(secret);

/** Tries `act` with a crash at each call of the store, and `again` with a healthy gateway after each. */
async function crashing(
  t: Parameters<typeof world>[0],
  moment: "before" | "after",
  steps: {
    readonly prepare?: (gateway: Gateway, backend: MemoryBackend) => Promise<void>;
    readonly act: (gateway: Gateway, backend: MemoryBackend) => Promise<unknown>;
    readonly check: (gateway: Gateway, backend: MemoryBackend) => Promise<void>;
  },
): Promise<number> {
  for (let n = 1; ; n++) {
    const backend = new MemoryBackend();
    const { gateway: healthy } = await world(t, { backend, clock, ...options });
    await steps.prepare?.(healthy, backend);
    let isArmed = false;
    const dying = newGateway(
      failingFrom(backend, n, moment, () => isArmed),
      clock,
      options,
    );
    await dying.start();
    t.after(() => dying.close());
    isArmed = true;
    const isDone = await steps.act(dying, backend).then(
      () => true,
      (error: unknown) => {
        assert.ok(error instanceof InjectedFault, String(error));
        return false;
      },
    );
    const { gateway } = await world(t, { backend, clock, ...options });
    if (!isDone) await steps.act(gateway, backend);
    await steps.check(gateway, backend);
    if (isDone) return n - 1;
  }
}

async function nameBy(gateway: Gateway, token: string): Promise<string | null> {
  return (await gateway.identify({ authorization: `Bearer ${token}`, ...origin })).identity.name;
}

for (const moment of ["before", "after"] as const) {
  test(`a crash ${moment} any step of the first sight of somebody leaves one account, and it is theirs`, async (t) => {
    const token = await tokenOf("4711");
    const crashes = await crashing(t, moment, {
      act: (gateway) => nameBy(gateway, token),
      check: async (gateway, backend) => {
        const name = await nameBy(gateway, token);
        const { identity } = await gateway.identify({ authorization: `Bearer ${token}`, ...origin });
        await gateway.provisioning.ownDatabase(identity);
        const accounts = await backend.listDocuments(users, {});
        assert.deepEqual(
          accounts.map((account) => [account["name"], (account["identities"] as unknown[]).length]),
          [[name, 1]],
        );
        assert.equal((await backend.listDocuments(identities, {})).length, 1);
      },
    });
    assert.ok(crashes >= 5, `only ${crashes} steps were tried`);
  });

  test(`a crash ${moment} any step of linking leaves the identity with one account`, async (t) => {
    const bob = parseUserName("bob");
    const verifier = "v".repeat(43);
    const challenge = createHash("sha256").update(verifier).digest("base64url");
    const identity = { issuer, subject: "4711", provider: "school" };
    const token = await tokenOf("4711");
    const crashes = await crashing(t, moment, {
      prepare: async (gateway) => void (await gateway.signUp({ name: "bob", password: "long enough" })),
      act: async (gateway, backend) => {
        const code = await new OneTimeCodes(backend, clock.now).make({ identity, createAccounts: true }, challenge);
        await gateway.identities.link(bob, code, verifier);
      },
      check: async (gateway) => {
        assert.equal(await nameBy(gateway, token), "bob");
        assert.equal((await gateway.identities.list(bob)).length, 1);
      },
    });
    assert.ok(crashes >= 5, `only ${crashes} steps were tried`);
  });

  test(`a crash ${moment} any step of a log-out everywhere is finished by the next one`, async (t) => {
    const ada = { name: "ada", password: "long enough" };
    const caller = { name: parseUserName("ada") };
    const crashes = await crashing(t, moment, {
      prepare: async (gateway) => {
        await gateway.signUp(ada);
        for (let count = 0; count < 3; count++) await gateway.logIn(ada, origin);
      },
      act: (gateway) => gateway.logIns.endMany(caller, "everywhere"),
      check: async (gateway) => assert.deepEqual(await gateway.logIns.list(caller), []),
    });
    assert.ok(crashes >= 5, `only ${crashes} steps were tried`);
  });
}
