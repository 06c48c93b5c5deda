/**
 * Now and then: takes away what is left of accounts. Of `settee_accounts` mailed tokens and invitations whose time is over, and
 * what belongs to users who are gone; of `_users` accounts whose address nobody ever verified, where that is demanded.
 */
import { parseDocId } from "../../protocol/ids.js";
import type { Backend, JsonDocument } from "../backend/backend.js";
import type { AccountRemoval } from "../gateway/accounts/account-removal.js";
import { accountOf, userDocumentPrefix } from "../gateway/accounts.js";
import { isConflict } from "../gateway/retry-conflicts.js";
import { accountsDatabase, usersDatabase } from "../gateway/system-databases.js";
import type { Job } from "./job.js";
import { PagedJob } from "./paged-job.js";

export interface AccountSweeperParts {
  readonly backend: Backend;
  readonly removal: AccountRemoval;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly onError: (error: unknown, id: string) => void;
}

/** Milliseconds for which an account waits for its address to be verified: longer than any token lives. */
const verificationPatience = 31 * 24 * 60 * 60_000;
/** Milliseconds in which an account that something belongs to has certainly been written. */
const accountGrace = 60 * 60_000;

export function accountSweeper({ backend, removal, now, onError }: AccountSweeperParts): Job {
  const told = (error: unknown, { _id }: JsonDocument): void => onError(error, _id);
  const leftovers = new PagedJob({
    id: "account-leftovers",
    backend,
    database: accountsDatabase,
    from: "activity-",
    to: "token.",
    onError: told,
    async visit(document) {
      if (!(await isOver(backend, document, now()))) return;
      try {
        const { _id, _rev } = document;
        await backend.putDocument(accountsDatabase, { _id, _rev: _rev as string, _deleted: true });
      } catch (error) {
        // Written anew meanwhile, or removed by another gateway.
        if (!isConflict(error)) throw error;
      }
    },
  });
  const unverified = new PagedJob({
    id: "unverified-accounts",
    backend,
    database: usersDatabase,
    from: userDocumentPrefix,
    to: "org.couchdb.user;",
    onError: told,
    async visit(document) {
      const account = accountOf(document);
      const since = Date.parse(String(document.created_at));
      if (account?.closed === "unverified" && since + verificationPatience <= now()) await removal.remove(account.name);
    },
  });
  return {
    id: "account-sweeper",
    async run() {
      await leftovers.run();
      await unverified.run();
    },
    async stop() {
      await Promise.all([leftovers.stop(), unverified.stop()]);
    },
  };
}

async function isOver(backend: Backend, document: JsonDocument, now: number): Promise<boolean> {
  const { _id, expiresAt, user, claimedAt, events } = document;
  if (typeof expiresAt === "number") return expiresAt <= now;
  if (typeof user !== "string") return false;
  const latest = (events as readonly { readonly time: string }[] | undefined)?.[0]?.time;
  const since = _id.startsWith("email-") ? Number(claimedAt) : Date.parse(String(latest));
  if (since + accountGrace > now) return false;
  return (await backend.getDocument(usersDatabase, parseDocId(userDocumentPrefix + user))) === undefined;
}
