import { test } from "node:test";
import { startSetteeHere } from "./helpers/settee-here.js";
import { waitFor, within } from "./helpers/wait-for.js";

test("a server stops although an index is being built that will never be", async (t) => {
  const here = await startSetteeHere();
  let isClosed = false;
  t.after(() => (isClosed ? undefined : here.close()));
  const { client, adminAuthorization: authorization } = here;
  const ask = (method: string, path: string, body?: unknown) => client.send(method, path, { body, authorization });
  await ask("PUT", "/notes");
  const docs = Array.from({ length: 1100 }, (_, n) => ({ _id: `d${n}` }));
  await ask("POST", "/notes/_bulk_docs", { docs });
  await ask("PUT", "/notes/_design/a", { views: { v: { map: "function (doc) { for (;;) {} }" } } });
  await waitFor("the build to begin", async () => (await ask("GET", "/_active_tasks")).json().length > 0);
  await within("the server to stop", here.close());
  isClosed = true;
});
