import { equal } from "node:assert/strict";
import type { Credentials } from "../../../server/gateway/identify.js";
import { Clock, newGateway, origin, sentBack } from "../../helpers/gateway-world.js";
import { MemoryBackend } from "../../helpers/memory-backend.js";
import type { BenchCase } from "../bench-case.js";

const ada = { name: "ada", password: "long enough" };
const requests = 20_000;

/** What it costs to find out who asks, in the gateway itself: over HTTP this would drown in everything else. Only Settee's. */
export const identifyRequests: BenchCase = {
  id: "identify",
  onRequest: true,
  rows: [
    { id: "identify-cookie", label: "who asks, by cookie", unit: "µs", goal: 30, lessIsBetter: true },
    { id: "identify-token", label: "who asks, by bearer token", unit: "µs", goal: 30, lessIsBetter: true },
  ],
  async run({ median }) {
    const gateway = newGateway(new MemoryBackend(), new Clock());
    await gateway.start();
    await gateway.signUp(ada);
    const { setCookie } = await gateway.logIn(ada, origin);
    const grant = { grant_type: "password", username: ada.name, password: ada.password };
    const { body } = await gateway.grantToken(grant, origin);
    const token = "access_token" in body ? body.access_token : "";
    // A text of its own for each request, as they come from sockets.
    const copied = (text: string): string => Buffer.from(text).toString();
    const time = (credentials: () => Credentials) =>
      median(async () => {
        const began = performance.now();
        for (let count = 0; count < requests; count++) {
          const { identity } = await gateway.identify(credentials());
          if (count === 0) equal(identity.name, "ada");
        }
        return ((performance.now() - began) / requests) * 1000;
      });
    const cookie = sentBack(setCookie);
    const results = {
      "identify-cookie": await time(() => ({ cookie: copied(cookie), ...origin })),
      "identify-token": await time(() => ({ authorization: copied(`Bearer ${token}`), ...origin })),
    };
    gateway.close();
    return results;
  },
};
