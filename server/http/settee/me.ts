/** `/_settee/me`: who is asking, their databases, and a feed of what changes in all of them. */
import { z } from "zod";
import { me } from "../../../protocol/sharing.js";
import { feedFormats } from "../feed-format.js";
import { myChanges, parseMyChangesQuery } from "../my-changes-feed.js";
import { described, endpoint } from "./endpoint.js";

export const getMe = endpoint(
  {
    summary: "Who is asking, and the databases that they are a member of.",
    need: "user",
    reply: me,
  },
  async ({ services, identity }) => ({ answer: await services.gateway.sharing.mine.describe(identity) }),
);

const row = z.strictObject({
  type: z.enum(["created", "updated", "deleted", "granted", "revoked", "reset"]),
  db_name: z.string().optional(),
  /** With `reset`, after a long absence: all that there are. */
  db_names: z.array(z.string()).optional(),
  seq: z.string(),
});

export const getMyChanges = described(
  {
    summary: "Which of the caller's databases changed, came or went since a sequence, over one connection.",
    need: "user",
    query: {
      feed: "normal, longpoll, continuous or eventsource.",
      since: "A sequence of this feed, or now.",
      timeout: "Milliseconds after which a quiet feed ends.",
      heartbeat: "Milliseconds after which a quiet feed gives a sign of life.",
    },
    reply: z.strictObject({ results: z.array(row), last_seq: z.string() }),
    errors: ["bad_request"],
  },
  async (call) => {
    const query = await parseMyChangesQuery(call);
    return { status: 200, headers: feedFormats[query.feed].headers, body: myChanges(call, query) };
  },
);
