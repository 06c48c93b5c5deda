/** `/_settee/sessions`: where a user is logged in. */
import { z } from "zod";
import { fields } from "./fields.js";

export const sessionEntry = z.strictObject({
  id: z.string(),
  /** A browser's cookie, or the tokens of an app. */
  kind: z.enum(["cookie", "token"]),
  /** As it was given at the log-in. */
  device: z.string().optional(),
  user_agent: z.string().optional(),
  created_at: z.iso.datetime(),
  /** Of its last renewal or refreshing: requests in between leave no trace. */
  last_used_at: z.iso.datetime(),
  expires_at: z.iso.datetime(),
  /** The one that asks. */
  current: z.boolean(),
});
export type SessionEntry = z.output<typeof sessionEntry>;

export const sessionList = z.strictObject({ sessions: z.array(sessionEntry) });

export const endSessionsRequest = fields({
  which: z.enum(["here", "elsewhere", "everywhere"], "here, elsewhere or everywhere is expected."),
});

export const endSessionsReply = z.strictObject({ ok: z.literal(true), ended: z.int() });
export type EndSessionsReply = z.output<typeof endSessionsReply>;
