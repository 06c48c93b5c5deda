/**
 * Branded strings: values that are plain strings on the wire but must not be swapped for one another inside.
 * Each is made only by its parse function here; a value of the type has been checked.
 */
import { CouchError } from "./errors.js";

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** A database's name, e.g. `userdb-616461` or `_users`. */
export type DatabaseName = Branded<"DatabaseName">;
/** A document's id, e.g. `note-7`, `_design/notes` or `_local/checkpoint`. */
export type DocId = Branded<"DocId">;
/** A revision id, `GENERATION-HASH`, e.g. `3-917fa2381192822767f010b95b45325b`. */
export type RevId = Branded<"RevId">;
/** An update sequence as clients see it: `N-EPOCH`. Opaque to them. */
export type Seq = Branded<"Seq">;
/** The name of a user, as in `org.couchdb.user:NAME`. */
export type UserName = Branded<"UserName">;

/** System databases keep their underscore; every other name follows CouchDB's rule. */
const systemDatabases = new Set(["_users", "_replicator", "_global_changes"]);
const databaseName = /^[a-z][a-z0-9_$()+/-]*$/;
const systemSuffix = /^[a-z][a-z0-9_$()+/-]*\/_(users|replicator)$/;
/** CouchDB's own bound comes from file names (255 bytes less a suffix); ours is the same, so that names can move. */
const maxDatabaseName = 238;

/** @throws CouchError illegal_database_name */
export function parseDatabaseName(text: string): DatabaseName {
  const legal = databaseName.test(text) || systemDatabases.has(text) || systemSuffix.test(text);
  if (!legal) {
    throw new CouchError(
      "illegal_database_name",
      `Name: '${text}'. Only lowercase characters (a-z), digits (0-9), and any of the characters _, $, (, ), +, -, and / are allowed. Must begin with a letter.`,
    );
  }
  if (text.length > maxDatabaseName) {
    throw new CouchError("database_name_too_long", `At most ${maxDatabaseName} characters are allowed.`);
  }
  return text as DatabaseName;
}

/** LevelDB keys and CouchDB both carry any UTF-8; only these names are reserved. @throws CouchError illegal_docid */
export function parseDocId(value: unknown): DocId {
  if (typeof value !== "string") throw new CouchError("illegal_docid", "Document id must be a string");
  if (value === "") throw new CouchError("illegal_docid", "Document id must not be empty");
  if (value.charCodeAt(0) === 95 /* _ */) {
    if (value === "_local" || value === "_local/") throw new CouchError("bad_request", "Invalid _local document id.");
    if (value === "_design/" || (!value.startsWith("_design/") && !value.startsWith("_local/"))) {
      throw new CouchError("illegal_docid", "Only reserved document ids may start with underscore.");
    }
  }
  return value as DocId;
}

export function isDesignDocId(id: string): boolean {
  return id.startsWith("_design/");
}

export function isLocalDocId(id: string): boolean {
  return id.startsWith("_local/");
}

const revId = /^(\d{1,20})-(.+)$/s;
const hexHash = /^[0-9a-fA-F]{32}$/;
/** More than a document's history can ever count, and safely an integer. */
export const maxGeneration = 9_999_999_999;
/** Ours are 32 hex digits; other servers' may be anything short. Bounded so that a tree cannot be bloated. */
const maxRevHash = 128;

/** 32 characters are always hexadecimal digits, in lower case, as in CouchDB. @throws CouchError bad_request `Invalid rev format` */
export function parseRevId(value: unknown): RevId {
  if (typeof value !== "string") throw new CouchError("bad_request", "Invalid rev format");
  const match = revId.exec(value);
  const hash = match?.[2] ?? "";
  if (!match || hash.length > maxRevHash) throw new CouchError("bad_request", "Invalid rev format");
  if (hash.length !== 32) return value as RevId;
  if (!hexHash.test(hash)) throw new CouchError("bad_request", "Invalid rev format");
  return value.toLowerCase() as RevId;
}

export function generationOf(rev: RevId): number {
  return Number.parseInt(rev, 10);
}

export function hashOf(rev: RevId): string {
  return rev.slice(rev.indexOf("-") + 1);
}

/** Joins the two parts of a revision id that are already known to be good. */
export function revIdOf(generation: number, hash: string): RevId {
  return `${generation}-${hash}` as RevId;
}

/** @throws CouchError bad_request */
export function parseUserName(value: unknown): UserName {
  if (typeof value !== "string" || value === "") throw new CouchError("bad_request", "A user name is required.");
  if (value.startsWith("_")) throw new CouchError("bad_request", "A user name must not start with an underscore.");
  // A colon ends the name in HTTP Basic and in the session cookie; control characters end lines in logs and mails.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it refuses
  if (/[\u0000-\u001f\u007f:]/.test(value) || value.length > 128 || !value.isWellFormed()) {
    throw new CouchError("bad_request", "A user name is at most 128 characters, without colons or control characters.");
  }
  return value as UserName;
}
