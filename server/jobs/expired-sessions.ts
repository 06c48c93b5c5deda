/** Now and then: removes from `settee_sessions` what its time is over for. */
import { parseDocId } from "../../protocol/ids.js";
import type { Backend } from "../backend/backend.js";
import { isConflict } from "../gateway/retry-conflicts.js";
import { sessionsDatabase } from "../gateway/system-databases.js";
import type { Job } from "./job.js";
import { PagedJob } from "./paged-job.js";

export interface ExpiredSessionsParts {
  readonly backend: Backend;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly onError: (error: unknown, id: string) => void;
}

export function expiredSessions({ backend, now, onError }: ExpiredSessionsParts): Job {
  return new PagedJob({
    id: "expired-sessions",
    backend,
    database: sessionsDatabase,
    // From the first `code-...` to the last `session-...`.
    from: "code-",
    to: "session.",
    async visit({ _id, _rev, expiresAt }) {
      if (typeof expiresAt !== "number" || expiresAt > now() || _rev === undefined) return;
      try {
        await backend.putDocument(sessionsDatabase, { _id: parseDocId(_id), _rev, _deleted: true });
      } catch (error) {
        // In use again, or removed by another gateway.
        if (!isConflict(error)) throw error;
      }
    },
    onError: (error, document) => onError(error, document._id),
  });
}
