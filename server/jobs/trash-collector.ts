/** Now and then: erases deleted databases whose grace is over. */
import { parseDatabaseName } from "../../protocol/ids.js";
import type { Backend } from "../backend/backend.js";
import type { Trash } from "../gateway/sharing/trash.js";
import { registryDatabase } from "../gateway/system-databases.js";
import type { Job } from "./job.js";
import { PagedJob } from "./paged-job.js";

export interface TrashCollectorParts {
  readonly backend: Backend;
  readonly trash: Trash;
  /** Told of each database that could not be erased; the others are. */
  readonly onError: (error: unknown, database: string) => void;
}

export function trashCollector({ backend, trash, onError }: TrashCollectorParts): Job {
  return new PagedJob({
    id: "trash-collector",
    backend,
    database: registryDatabase,
    // Names of databases begin with a small letter.
    from: "a",
    to: "{",
    async visit({ _id, state }) {
      if (state === "trashed" || state === "erasing") await trash.eraseIfDue(parseDatabaseName(_id));
    },
    onError: (error, entry) => onError(error, entry._id),
  });
}
