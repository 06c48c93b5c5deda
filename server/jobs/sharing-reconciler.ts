/** At the start: brings `_security` and the accounts' lists into line with what the registry says of databases that are shared or closed. */
import { parseDatabaseName } from "../../protocol/ids.js";
import type { Backend, JsonDocument } from "../backend/backend.js";
import type { SharingPart } from "../gateway/sharing/sharing-part.js";
import { registryDatabase } from "../gateway/system-databases.js";
import type { Job } from "./job.js";
import { PagedJob } from "./paged-job.js";

export interface SharingReconcilerParts {
  readonly backend: Backend;
  readonly sharing: SharingPart;
  /** Told of each database that could not be brought into line; the others are. */
  readonly onError: (error: unknown, database: string) => void;
}

/** Names of databases begin with a small letter. */
const [first, behind] = ["a", "{"];

export function sharingReconciler({ backend, sharing, onError }: SharingReconcilerParts): Job {
  return new PagedJob({
    id: "sharing-reconciler",
    backend,
    database: registryDatabase,
    from: first,
    to: behind,
    async visit(entry) {
      if (isOwnAtRest(entry)) return;
      await sharing.alignments.settle(parseDatabaseName(entry._id));
    },
    onError: (error, entry) => onError(error, entry._id),
  });
}

/** The one database that every user has: provisioning's, unless something was begun with it. */
function isOwnAtRest({ kind, state, aligning }: JsonDocument): boolean {
  return kind === "own" && state === undefined && aligning === undefined;
}
