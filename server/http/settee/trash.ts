/** `/_settee/trash`: databases that were deleted and can still be had back. */
import { fields } from "../../../protocol/fields.js";
import { trash } from "../../../protocol/sharing.js";
import { databaseNameOf } from "./database-name.js";
import { endpoint, ok } from "./endpoint.js";

export const listTrash = endpoint(
  { summary: "Databases that wait to be erased.", need: "server-admin", reply: trash },
  async ({ services }) => ({ answer: { databases: [...(await services.gateway.sharing.trash.list())] } }),
);

export const restoreDatabase = endpoint(
  {
    summary: "Takes a database out of the trash, with its members as they were.",
    need: "server-admin",
    body: fields({}),
    reply: ok,
    errors: ["not_found", "conflict"],
  },
  async (call) => {
    await call.services.gateway.sharing.trash.restore(databaseNameOf(call));
    return { answer: { ok: true as const } };
  },
);
