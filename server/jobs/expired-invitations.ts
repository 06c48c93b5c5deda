/** Now and then: removes from `settee_invitations` what its time is over for. */
import { parseDocId } from "../../protocol/ids.js";
import type { Backend } from "../backend/backend.js";
import { isConflict } from "../gateway/retry-conflicts.js";
import { invitationsDatabase } from "../gateway/system-databases.js";
import type { Job } from "./job.js";
import { PagedJob } from "./paged-job.js";

export interface ExpiredInvitationsParts {
  readonly backend: Backend;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly onError: (error: unknown, id: string) => void;
}

/** Milliseconds after its end: who accepted at the last moment may still come back to what a crash left undone. */
const grace = 24 * 60 * 60 * 1000;

export function expiredInvitations({ backend, now, onError }: ExpiredInvitationsParts): Job {
  return new PagedJob({
    id: "expired-invitations",
    backend,
    database: invitationsDatabase,
    // Pointers, `for-...`, and invitations.
    from: "for-",
    to: "invitation.",
    async visit({ _id, _rev, expires_at }) {
      if (typeof expires_at !== "string" || !(Date.parse(expires_at) + grace <= now()) || _rev === undefined) return;
      try {
        await backend.putDocument(invitationsDatabase, { _id: parseDocId(_id), _rev, _deleted: true });
      } catch (error) {
        // Removed by another gateway.
        if (!isConflict(error)) throw error;
      }
    },
    onError: (error, document) => onError(error, document._id),
  });
}
