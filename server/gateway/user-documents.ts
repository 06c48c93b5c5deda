/**
 * The rules of `_users`: who may write and read which user document, and what becomes of a password on its way in. The
 * words and their order are those of CouchDB's `_design/_auth` and `couch_users_db`.
 */
import { isDeepStrictEqual } from "node:util";
import { CouchError } from "../../protocol/errors.js";
import { isDesignDocId, isLocalDocId, parseUserName } from "../../protocol/ids.js";
import { type Identity, isServerAdmin } from "../../protocol/security.js";
import type { JsonDocument } from "../backend/backend.js";
import { isOrdinaryRole, userDocumentPrefix } from "./accounts.js";
import type { PasswordHasher } from "./password-hasher.js";
import { passwordMemberNames, passwordMembers } from "./passwords.js";

const passwordSchemes = ["simple", "pbkdf2", "bcrypt"];
/** What of a hash its owner is not shown: whoever steals a session could guess the password at home. */
const secretMembers = ["derived_key", "salt", "password_sha", "totp", "totp_pending"];
/** Members through which a document would claim a database, an address or more, and so only the server writes them. */
const serversMembers = [
  "databases",
  "database_log",
  "quota",
  "identities",
  "verified_email",
  "pending_email",
  "awaits_email",
  "anonymous",
  "disabled",
  "removed",
  "totp",
  "totp_pending",
];

/**
 * The document to store for `newDocument`, which an ordinary request wants to write on top of `oldDocument`.
 * @throws CouchError forbidden for a wrong shape, not_found for another user's document
 */
export async function prepareUserDocument(
  newDocument: JsonDocument,
  oldDocument: JsonDocument | undefined,
  identity: Identity,
  hasher: PasswordHasher,
): Promise<JsonDocument> {
  const isAdmin = isServerAdmin(identity);
  if (isLocalDocId(newDocument._id)) return newDocument;
  if (isDesignDocId(newDocument._id)) {
    if (!isAdmin) throw new CouchError("forbidden", "You are not a db or server admin.");
    return newDocument;
  }
  if (!isAdmin) refuseOthers(newDocument, oldDocument, identity);
  if (newDocument._deleted === true) return newDocument;

  const document = isAdmin ? newDocument : keepServersMembers(newDocument, oldDocument);
  checkShape(document, oldDocument);
  if (!isAdmin) checkRolesUnchanged(document, oldDocument);
  checkNames(document);
  return hashPassword(document, hasher);
}

/** @returns undefined when it is allowed */
export function refusalToReadUserDocument(identity: Identity, id: string): CouchError | undefined {
  if (isServerAdmin(identity) || isLocalDocId(id)) return undefined;
  if (isDesignDocId(id)) {
    return new CouchError("forbidden", "Only administrators can view design docs in the users database.");
  }
  // The same for another's document as for one that is not there.
  return isOwn(identity, id) ? undefined : new CouchError("not_found");
}

export function mayReadUserDocument(identity: Identity, id: string): boolean {
  return refusalToReadUserDocument(identity, id) === undefined;
}

/** The document as `identity`, who may read it, is shown it. */
export function visibleUserDocument<T extends JsonDocument>(document: T, identity: Identity): T {
  return isServerAdmin(identity) ? document : withoutSecrets(document);
}

/** As its owner may have it. */
export function withoutSecrets<T extends JsonDocument>(document: T): T {
  const members = Object.entries(document).filter(([name]) => !secretMembers.includes(name));
  return Object.fromEntries(members) as T;
}

/** A guest makes an account by writing its document. */
export function isRegistration(
  newDocument: JsonDocument,
  oldDocument: JsonDocument | undefined,
  identity: Identity,
): boolean {
  const isUser = newDocument._id.startsWith(userDocumentPrefix);
  return (
    identity.name === null &&
    !isServerAdmin(identity) &&
    isUser &&
    oldDocument === undefined &&
    newDocument._deleted !== true
  );
}

function isOwn(identity: Identity, id: string): boolean {
  return identity.name !== null && id === userDocumentPrefix + identity.name;
}

function refuseOthers(newDocument: JsonDocument, oldDocument: JsonDocument | undefined, identity: Identity): void {
  if (isRegistration(newDocument, oldDocument, identity) || isOwn(identity, newDocument._id)) return;
  // The document of somebody who is there already is a conflict for a guest, as for anybody who comes without its revision.
  const isTaken = identity.name === null && newDocument._deleted !== true;
  throw new CouchError(isTaken ? "conflict" : "not_found");
}

function checkShape(document: JsonDocument, oldDocument: JsonDocument | undefined): void {
  const { type, name, roles } = document;
  if (type !== "user") forbid("doc.type must be user");
  if (!name) forbid("doc.name is required");
  if (!roles) forbid("doc.roles must exist");
  if (!Array.isArray(roles)) forbid("doc.roles must be an array");
  if (roles.some((role) => typeof role !== "string")) forbid("doc.roles can only contain strings");
  if (typeof name !== "string" || document._id !== userDocumentPrefix + name) {
    forbid("Doc ID must be of the form org.couchdb.user:name");
  }
  if (oldDocument && oldDocument.name !== name) forbid("Usernames can not be changed.");
  if (document.password_sha && !document.salt) forbid("Users with password_sha must have a salt.");
  const scheme = document.password_scheme;
  if (scheme && !passwordSchemes.includes(scheme as string)) forbid(`Password scheme \`${scheme}\` not supported.`);
  if (scheme === "pbkdf2" && !hasPassword(document)) {
    if (typeof document.iterations !== "number") forbid("iterations must be a number.");
    if (typeof document.derived_key !== "string") forbid("derived_key must be a string.");
  }
}

/**
 * An owner's (or a registering guest's) document with hash and server's members as they were: the owner was not shown
 * all of them and need not send them back.
 */
function keepServersMembers(document: JsonDocument, oldDocument: JsonDocument | undefined): JsonDocument {
  const kept: Record<string, unknown> = { ...document };
  for (const member of [...passwordMemberNames, ...serversMembers]) {
    const before = oldDocument?.[member];
    const isChanged = document[member] !== undefined && !isDeepStrictEqual(document[member], before);
    // A hash of one's own choosing could be one that takes the server seconds to check, on every guess. One that comes
    // along with a password is replaced by the password's.
    const isReplaced = hasPassword(document) && !serversMembers.includes(member);
    if (isChanged && !isReplaced) forbid(`Only _admin may edit ${member}`);
    if (before === undefined) delete kept[member];
    else kept[member] = before;
  }
  return kept as unknown as JsonDocument;
}

function checkRolesUnchanged(document: JsonDocument, oldDocument: JsonDocument | undefined): void {
  const roles = [...(document.roles as string[])].sort();
  const before = oldDocument?.roles;
  const oldRoles = Array.isArray(before) ? [...before].sort() : [];
  if (!isDeepStrictEqual(roles, oldRoles))
    forbid(oldDocument ? "Only _admin may edit roles" : "Only _admin may set roles");
}

function checkNames(document: JsonDocument): void {
  const name = document.name as string;
  if (!(document.roles as string[]).every(isOrdinaryRole)) {
    forbid("No system roles (starting with underscore) in users db.");
  }
  if (name.startsWith("_")) forbid("Username may not start with underscore.");
  if (name.includes(":")) forbid("Character `:` is not allowed in usernames.");
  try {
    parseUserName(name);
  } catch (error) {
    forbid(error instanceof CouchError ? error.reason : String(error));
  }
}

function hasPassword(document: JsonDocument): boolean {
  return document.password !== undefined && document.password !== null;
}

async function hashPassword(document: JsonDocument, hasher: PasswordHasher): Promise<JsonDocument> {
  const { password, ...rest } = document;
  if (password === undefined || password === null) return rest as JsonDocument;
  if (typeof password !== "string") forbid(`Password value of '${JSON.stringify(password)}' is invalid.`);
  const { password_sha: _former, ...others } = rest as JsonDocument;
  return { ...others, ...passwordMembers(await hasher.hash(password)) } as JsonDocument;
}

function forbid(reason: string): never {
  throw new CouchError("forbidden", reason);
}
