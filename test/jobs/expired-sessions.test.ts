import assert from "node:assert/strict";
import { test } from "node:test";
import { expiredSessions } from "../../server/jobs/expired-sessions.js";
import { lives, logOut, origin, sentBack, sessions, world } from "../helpers/gateway-world.js";

test("what its time is over for is removed, and nothing else", async (t) => {
  const { gateway, backend, clock } = await world(t, { tokenLives: lives(1_000) });
  const ada = { name: "ada", password: "long enough" };
  const grant = { grant_type: "password", username: ada.name, password: ada.password };
  await gateway.signUp(ada);
  await logOut(gateway, sentBack((await gateway.logIn(ada, origin)).setCookie));
  await gateway.grantToken(grant, origin);
  const errors: unknown[] = [];
  const job = expiredSessions({ backend, now: clock.now, onError: (error) => errors.push(error) });
  const left = async (): Promise<string[]> => {
    await job.run();
    return (await backend.listDocuments(sessions, {})).map(({ kind }) => String(kind)).sort();
  };
  assert.deepEqual(await left(), ["cookie", "token"]);
  clock.advance(601);
  assert.deepEqual(await left(), ["token"]);
  await gateway.grantToken(grant, origin);
  clock.advance(400);
  assert.deepEqual(await left(), ["token"]);
  clock.advance(600);
  assert.deepEqual(await left(), []);
  assert.deepEqual(errors, []);
});
