/** Rollouts: a new version of a template on its way to every database that was made from it. */
import { z } from "zod";

export const rolloutState = z.enum(["running", "paused", "done"]);
export type RolloutState = z.output<typeof rolloutState>;

export const rollout = z.strictObject({
  id: z.string(),
  template: z.string(),
  /** Versions are 32 hexadecimal digits. */
  version: z.string(),
  /** In force before. */
  previous: z.string(),
  state: rolloutState,
  /** Databases of the template, as many as have been looked at. */
  seen: z.int(),
  /** Of those that were changed. */
  changed: z.int(),
  /** That could not be brought to the version; `resume` tries them again. */
  failed: z.int(),
  /** The first hundred of them. */
  failures: z.array(z.strictObject({ database: z.string(), reason: z.string() })).readonly(),
  /** ISO 8601. */
  started_at: z.string(),
  ended_at: z.string().optional(),
});
export type Rollout = z.output<typeof rollout>;

export const templateInForce = z.strictObject({
  template: z.string(),
  version: z.string(),
  design_documents: z.array(z.string()),
});
export const rolloutList = z.strictObject({ templates: z.array(templateInForce), rollouts: z.array(rollout) });
export type RolloutList = z.output<typeof rolloutList>;
