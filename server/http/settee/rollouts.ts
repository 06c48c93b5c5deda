/** `/_settee/rollouts`: versions of templates on their way to the databases made from them. */
import { z } from "zod";
import { CouchError } from "../../../protocol/errors.js";
import { fields } from "../../../protocol/fields.js";
import { rollout, rolloutList } from "../../../protocol/rollout.js";
import { TemplateError } from "../../gateway/design-docs/source.js";
import type { Call } from "../call.js";
import type { Route } from "../route.js";
import { endpoint } from "./endpoint.js";

const nothing = fields({});
const one = z.strictObject({ rollout });

export const listRollouts = endpoint(
  {
    summary: "Templates with their versions in force, and rollouts, newest first.",
    need: "server-admin",
    reply: rolloutList,
  },
  async ({ services }) => ({ answer: await services.gateway.rollouts.list() }),
);

export const beginRollouts = endpoint(
  {
    summary: "Reads the folder of templates again, and begins a rollout of each that has changed.",
    need: "server-admin",
    body: nothing,
    reply: z.strictObject({ rollouts: z.array(rollout) }),
    status: 202,
  },
  async ({ services }) => {
    try {
      return { answer: { rollouts: [...(await services.gateway.rollouts.take())] } };
    } catch (error) {
      if (error instanceof TemplateError) throw new CouchError("bad_request", error.message, { cause: error });
      throw error;
    }
  },
);

export const readRollout = endpoint(
  { summary: "How far a rollout has come.", need: "server-admin", reply: one, errors: ["not_found"] },
  async ({ services, params }) => ({
    answer: { rollout: await services.gateway.rollouts.find(params["id"] as string) },
  }),
);

export const pauseRollout = action("Stops a rollout where it is.", (rollouts, id) => rollouts.pause(id));
export const resumeRollout = action(
  "Goes on with a rollout that was paused, or tries its failures again.",
  (rollouts, id) => rollouts.resume(id),
);
export const rollBack = action("Puts the version before in force again, and rolls that out.", (rollouts, id) =>
  rollouts.rollBack(id),
);

type Rollouts = Call["services"]["gateway"]["rollouts"];

function action(summary: string, act: (rollouts: Rollouts, id: string) => ReturnType<Rollouts["find"]>): Route {
  return endpoint(
    { summary, need: "server-admin", body: nothing, reply: one, status: 202, errors: ["not_found", "conflict"] },
    async ({ services, params }) => ({
      answer: { rollout: await act(services.gateway.rollouts, params["id"] as string) },
    }),
  );
}
