/** At the start: finishes the databases of accounts that a crash left `wanted`, and the removal of those that were to go. */
import type { Backend } from "../backend/backend.js";
import type { AccountRemoval } from "../gateway/accounts/account-removal.js";
import { accountOf, userDocumentPrefix } from "../gateway/accounts.js";
import type { Provisioning } from "../gateway/provisioning.js";
import { usersDatabase } from "../gateway/system-databases.js";
import type { Job } from "./job.js";
import { PagedJob } from "./paged-job.js";

/** The end of the range of ids that begin with `org.couchdb.user:`. */
const afterUsers = "org.couchdb.user;";

export interface ProvisioningReconcilerParts {
  readonly backend: Backend;
  readonly provisioning: Provisioning;
  readonly removal: AccountRemoval;
  /** Told of each account that could not be finished; the others are. */
  readonly onError: (error: unknown, user: string) => void;
}

export function provisioningReconciler({ backend, provisioning, removal, onError }: ProvisioningReconcilerParts): Job {
  return new PagedJob({
    id: "provisioning-reconciler",
    backend,
    database: usersDatabase,
    from: userDocumentPrefix,
    to: afterUsers,
    async visit(document) {
      const account = accountOf(document);
      if (account?.closed === "removed") await removal.finish(account);
      else if (account?.databases.some(({ state }) => state === "wanted")) await provisioning.finish(account.name);
    },
    onError: (error, document) => onError(error, document._id.slice(userDocumentPrefix.length)),
  });
}
