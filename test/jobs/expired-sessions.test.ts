import assert from "node:assert/strict";
import { test } from "node:test";
import { expiredSessions } from "../../server/jobs/expired-sessions.js";
import { origin, sentBack, sessions, world } from "../helpers/gateway-world.js";

test("what its time is over for is removed, and nothing else", async (t) => {
  const { gateway, backend, clock } = await world(t, { refreshTokenSeconds: 1_000 });
  const ada = { name: "ada", password: "long enough" };
  const grant = { grant_type: "password", username: ada.name, password: ada.password };
  await gateway.signUp(ada);
  await gateway.logOut(sentBack((await gateway.logIn(ada, origin)).setCookie));
  await gateway.grantToken(grant, origin);
  const errors: unknown[] = [];
  const job = expiredSessions({ backend, now: clock.now, onError: (error) => errors.push(error) });
  const left = async (): Promise<string[]> => {
    await job.run();
    return (await backend.listDocuments(sessions, {})).map(({ _id }) => _id.split("-")[0] as string).sort();
  };
  assert.deepEqual(await left(), ["cookie", "refresh"]);
  clock.advance(601);
  assert.deepEqual(await left(), ["refresh"]);
  await gateway.grantToken(grant, origin);
  clock.advance(400);
  assert.deepEqual(await left(), ["refresh"]);
  clock.advance(600);
  assert.deepEqual(await left(), []);
  assert.deepEqual(errors, []);
});
