/** When open feeds end though their client is still there. */
import { decide } from "../gateway/access.js";
import type { Call, DatabaseCall } from "./call.js";
import { whenStopping } from "./when-stopping.js";

/**
 * Calls `end` when the server stops, and when what the caller was let in for holds no more: a log-out, another password, other
 * roles, the end of the account. The result takes that back.
 */
export function whenFeedEnds({ services, standing }: Call, end: () => void): () => void {
  const forget = whenStopping(services.stopping, end);
  const unwatch = services.gateway.watch(standing, end);
  return () => {
    forget();
    unwatch();
  };
}

/** For a feed of a database whose `_security` was changed. */
export function mayStillRead({ identity, database }: DatabaseCall): boolean {
  return decide(identity, database.security(), "read") === "allowed";
}
