/** Reading, changing and writing a document while others may do the same. */
import { CouchError } from "../../protocol/errors.js";

/** More contenders than this for one small document are a fault somewhere, not bad luck. */
const maxAttempts = 8;

export function isConflict(error: unknown): boolean {
  return error instanceof CouchError && error.error === "conflict";
}

/** Runs `attempt`, which reads before it writes, again for as long as its write meets a conflict. */
export async function retryConflicts<T>(attempt: () => Promise<T>, attempts = maxAttempts): Promise<T> {
  for (let count = 1; ; count++) {
    try {
      return await attempt();
    } catch (error) {
      if (!isConflict(error) || count >= attempts) throw error;
    }
  }
}
