import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setteeRoutes } from "../../../server/http/settee/routes.js";
import { startHttpWorld } from "../../helpers/http-world.js";

interface Operation {
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Record<string, unknown> }>> };
  readonly responses: Readonly<Record<string, unknown>>;
}

describe("the OpenAPI document", () => {
  it("has every row of the table but its own", async (t) => {
    const { client } = await startHttpWorld(t);
    const { openapi, paths } = (await client.get("/_settee/openapi.json")).json() as {
      openapi: string;
      paths: Record<string, Record<string, Operation>>;
    };
    assert.equal(openapi, "3.1.0");
    const told = Object.entries(paths).flatMap(([path, methods]) => Object.keys(methods).map((m) => `${m} ${path}`));
    const rows = setteeRoutes.flatMap(({ path, methods }) =>
      Object.keys(methods).map((method) => `${method.toLowerCase()} ${path.replace(/:(\w+)/g, "{$1}")}`),
    );
    assert.deepEqual(told.sort(), rows.filter((row) => row !== "get /_settee/openapi.json").sort());
  });

  it("says what a sign-up takes and which answers there are", async (t) => {
    const { client } = await startHttpWorld(t);
    const { paths } = (await client.get("/_settee/openapi.json")).json() as {
      paths: Record<string, Record<string, Operation>>;
    };
    const signUp = paths["/_settee/signup"]?.["post"] as Operation;
    const schema = signUp.requestBody?.content["application/json"]?.schema as {
      required: string[];
      properties: object;
    };
    assert.deepEqual(schema.required, ["password"]);
    assert.deepEqual(Object.keys(schema.properties), [
      "name",
      "password",
      "email",
      "display_name",
      "locale",
      "profile",
      "invitation",
    ]);
    assert.deepEqual(Object.keys(signUp.responses), ["201", "400", "403", "409"]);
  });
});
