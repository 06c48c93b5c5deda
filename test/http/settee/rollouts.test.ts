import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Template } from "../../../server/gateway/provisioning.js";
import { startHttpWorld } from "../../helpers/http-world.js";

const version = (n: number): Template => ({
  name: "user",
  version: String(n).repeat(32),
  designDocuments: [{ _id: "_design/rules", n }],
});

describe("/_settee/rollouts", () => {
  it("is for server administrators, on every row", async (t) => {
    const { client } = await startHttpWorld(t);
    for (const [method, path] of [
      ["GET", ""],
      ["POST", ""],
      ["GET", "/x"],
      ["POST", "/x/pause"],
      ["POST", "/x/resume"],
      ["POST", "/x/rollback"],
    ] as const) {
      const body = method === "POST" ? { body: {} } : {};
      const reply = await client.send(method, `/_settee/rollouts${path}`, { ...body, authorization: null });
      assert.deepEqual([reply.status, reply.json().error], [401, "unauthorized"], `${method} ${path}`);
    }
  });

  it("begins one when the folder has changed, shows it, pauses and rolls it back", async (t) => {
    const templates = new Map([["user", version(1)]]);
    const { client } = await startHttpWorld(t, undefined, { templates });
    const post = (path: string) => client.send("POST", `/_settee/rollouts${path}`, { body: {} });
    assert.deepEqual((await post("")).json(), { rollouts: [] });

    templates.set("user", version(2));
    const begun = await post("");
    assert.equal(begun.status, 202);
    const [{ id }] = begun.json().rollouts;
    assert.equal((await client.get(`/_settee/rollouts/${id}`)).json().rollout.state, "running");
    assert.equal((await post(`/${id}/pause`)).json().rollout.state, "paused");
    assert.equal((await post(`/${id}/rollback`)).json().rollout.version, version(1).version);
    const { templates: inForce, rollouts } = (await client.get("/_settee/rollouts")).json();
    assert.deepEqual(inForce, [{ template: "user", version: version(1).version, design_documents: ["_design/rules"] }]);
    assert.deepEqual(
      rollouts.map(({ state }: { state: string }) => state),
      ["running", "done"],
    );
    assert.equal((await post("/nothing/pause")).status, 404);
    assert.equal((await post(`/${id}/resume`)).status, 409);
  });
});
