/** Which databases belong to the server, decided here and nowhere else. */
import { type DatabaseName, parseDatabaseName } from "../../protocol/ids.js";

/** Accounts: CouchDB user documents. */
export const usersDatabase = parseDatabaseName("_users");
export const replicatorDatabase = parseDatabaseName("_replicator");
/** Hashes of server administrators' passwords, and the keys of tokens. */
export const configDatabase = parseDatabaseName("settee_config");
/** Sessions: of browsers, with cookies, and of apps, with tokens. */
export const sessionsDatabase = parseDatabaseName("settee_sessions");
/** Whom of outside issuers which account belongs to. */
export const identitiesDatabase = parseDatabaseName("settee_identities");
/** Which databases the gateway made, from which template, and whose they are. */
export const registryDatabase = parseDatabaseName("settee_databases");
/** Invitations to shared databases. */
export const invitationsDatabase = parseDatabaseName("settee_invitations");
/** Versions of templates, and how far each has been rolled out. */
export const rolloutsDatabase = parseDatabaseName("settee_rollouts");
/** Beside `_users`: which address is whose, mailed tokens, invitations, what users did. */
export const accountsDatabase = parseDatabaseName("settee_accounts");
/** Mails that wait to be sent. */
export const mailDatabase = parseDatabaseName("settee_mail");

/** What the gateway creates at its start when it is not there. */
export const databasesToCreate: readonly DatabaseName[] = [
  usersDatabase,
  replicatorDatabase,
  configDatabase,
  sessionsDatabase,
  identitiesDatabase,
  registryDatabase,
  invitationsDatabase,
  rolloutsDatabase,
  accountsDatabase,
  mailDatabase,
];

const internal = new Set<string>([
  configDatabase,
  sessionsDatabase,
  identitiesDatabase,
  registryDatabase,
  invitationsDatabase,
  rolloutsDatabase,
  accountsDatabase,
  mailDatabase,
]);

const system = new Set<string>([...databasesToCreate, "_global_changes"]);
const systemSuffix = /\/_(users|replicator)$/;

/** A database that ordinary users cannot be given by a rule or a name: the server itself reads meaning into it. */
export function isSystemDatabase(name: string): boolean {
  return system.has(name) || systemSuffix.test(name);
}

/** One that is closed to everybody but server administrators, whatever its `_security` says. */
export function isInternalDatabase(name: string): boolean {
  return internal.has(name);
}
