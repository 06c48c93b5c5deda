/** The one place that turns any failure into an answer: `{error, reason}`. The private cause is logged and never sent. */
import type { Logger } from "pino";
import { CouchError } from "../../protocol/errors.js";
import { json, type Reply } from "./call.js";

export function errorReply(error: unknown, log: Logger): Reply {
  const failure =
    error instanceof CouchError ? error : new CouchError("internal_server_error", undefined, { cause: error });
  if (failure.status >= 500 && failure.cause !== undefined) log.error({ err: failure.cause }, failure.message);
  const body = { error: failure.error, reason: failure.reason, ...failure.detail };
  return json(body, failure.status, failure.headers);
}
