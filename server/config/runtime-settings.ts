/**
 * The settings that `_node/_local/_config` shows, in CouchDB's names: each is a place in our own settings, or a fact. What is not in
 * this table is no setting here. Values are texts, as in CouchDB's files.
 */
import type { Config } from "../config.js";

/** What settings show beside the configuration. */
export interface ServerFacts {
  /** Names this server to replicators. */
  readonly uuid: string;
}

interface Named {
  readonly section: string;
  readonly key: string;
  show(config: Config, facts: ServerFacts): string;
}

/** One that takes effect as soon as it is changed. */
export interface LiveSetting extends Named {
  /** Place in our settings, e.g. `limits.maxDocumentSize`. */
  readonly path: string;
  /** The value that a text stands for; undefined when it stands for none. Whether that is allowed, the settings' schema knows. */
  read(text: string): unknown;
}

/** One that cannot be changed while the server runs, and why. */
export interface FixedSetting extends Named {
  readonly fixed: string;
}

export type RuntimeSetting = LiveSetting | FixedSetting;

/** What is shown of a secret. */
export const hiddenValue = "****";

/** What CouchDB before 3 called these sections, and scripts still do. */
const formerSections: Readonly<Record<string, string>> = { couch_httpd_auth: "chttpd_auth", httpd: "chttpd" };

type Levels = Readonly<Record<string, Config["logLevel"]>>;
/** CouchDB's levels; those of its finer ones that we do not have are the next one of ours. */
const levels: Levels = {
  debug: "debug",
  info: "info",
  notice: "info",
  warning: "warn",
  warn: "warn",
  error: "error",
  critical: "error",
  alert: "error",
  emergency: "error",
  none: "silent",
};
const levelNames: Readonly<Record<Config["logLevel"], string>> = {
  trace: "debug",
  debug: "debug",
  info: "info",
  warn: "warning",
  error: "error",
  silent: "none",
};

const atStart = "This is decided when the server starts: change its configuration file or environment.";
const always = "This is always so.";
const secret = "A secret is set in the configuration file or the environment, where answers and logs do not show it.";
const oneNode = "Settee is a single node.";

const settings: readonly RuntimeSetting[] = [
  list("attachments", "compressible_types", "attachments.types"),
  number("attachments", "compression_level", "attachments.level"),

  number("couchdb", "max_document_size", "limits.maxDocumentSize"),
  number("couchdb", "max_attachment_size", "limits.maxAttachmentSize"),
  number("couchdb", "os_process_timeout", "sandbox.timeout"),
  text("couchdb", "maintenance_mode", "maintenanceMode"),
  flag("couchdb", "users_db_security_editable", "accounts.usersSecurityEditable"),
  fixed(
    "couchdb",
    "uuid",
    (_, { uuid }) => uuid,
    "It names this data directory to replicators, which would start anew.",
  ),
  fixed("couchdb", "database_dir", ({ dataDir }) => dataDir, atStart),
  fixed("couchdb", "single_node", () => "true", oneNode),

  fixed("chttpd", "bind_address", ({ host }) => host, atStart),
  fixed("chttpd", "port", ({ port }) => String(port), atStart),
  number("chttpd", "max_http_request_size", "limits.maxHttpRequestSize"),
  fixed("chttpd", "max_uri_length", ({ limits }) => String(limits.maxUriLength), atStart),
  number("chttpd", "changes_timeout", "changesTimeout"),
  flag("chttpd", "enable_cors", "cors.enabled"),
  flag("chttpd", "decode_plus_to_space", "decodePlusToSpace"),
  text("chttpd", "x_forwarded_host", "forwarded.host"),
  text("chttpd", "x_forwarded_proto", "forwarded.proto"),
  text("chttpd", "x_forwarded_ssl", "forwarded.ssl"),
  fixed(
    "chttpd",
    "require_valid_user",
    () => "false",
    "Nobody reads or writes a database here who is not let in by its _security.",
  ),

  fixed("chttpd_auth", "authentication_db", () => "_users", always),
  fixed("chttpd_auth", "allow_persistent_cookies", () => "true", always),
  number("chttpd_auth", "timeout", "sessionTimeout"),
  number("chttpd_auth", "iterations", "passwordIterations"),
  fixed("chttpd_auth", "same_site", ({ cookies }) => cookies.sameSite?.toLowerCase() ?? "", atStart),
  fixed("chttpd_auth", "secret", () => hiddenValue, secret),

  text("chttpd_auth_lockout", "mode", "lockOut.mode"),
  number("chttpd_auth_lockout", "threshold", "lockOut.threshold"),
  number("chttpd_auth_lockout", "max_lifetime", "lockOut.maxLifetime"),
  number("chttpd_auth_lockout", "max_objects", "lockOut.maxObjects"),

  fixed("cluster", "n", () => "1", oneNode),
  fixed("cluster", "q", () => "1", oneNode),

  list("cors", "origins", "cors.origins"),
  list("cors", "methods", "cors.methods"),
  list("cors", "headers", "cors.headers"),
  fixed(
    "cors",
    "credentials",
    () => "true",
    "Whoever lists an origin lets it act for users who are logged in: that is what it is for.",
  ),

  {
    section: "log",
    key: "level",
    path: "logLevel",
    read: (value) => (Object.hasOwn(levels, value) ? levels[value] : undefined),
    show: ({ logLevel }) => levelNames[logLevel],
  },

  fixed("quickjs", "memory_limit_bytes", ({ sandbox }) => String(sandbox.memoryLimit), atStart),

  number("replicator", "max_jobs", "replicator.maxJobs"),
  number("replicator", "interval", "replicator.interval"),
  number("replicator", "max_churn", "replicator.maxChurn"),
  number("replicator", "startup_jitter", "replicator.startupJitter"),

  text("uuids", "algorithm", "uuids.algorithm"),
  text("uuids", "utc_id_suffix", "uuids.utcIdSuffix"),
  number("uuids", "max_count", "uuids.maxCount"),
];

/** Sections in which CouchDB names programs, modules and handlers: nobody sets those over HTTP, there or here. */
const lockedSections = new Set([
  "daemons",
  "external",
  "httpd_design_handlers",
  "httpd_db_handlers",
  "httpd_global_handlers",
  "native_query_servers",
  "os_daemons",
  "query_servers",
]);

export function isLockedSection(section: string): boolean {
  return lockedSections.has(section);
}

const byName: ReadonlyMap<string, RuntimeSetting> = new Map(settings.map((each) => [nameOf(each), each]));

export const allSettings = settings;

/** Undefined when there is no such setting. Names of sections may be CouchDB's former ones. */
export function findSetting(section: string, key: string): RuntimeSetting | undefined {
  return byName.get(nameOf({ section: canonicalSection(section), key }));
}

export function canonicalSection(section: string): string {
  return Object.hasOwn(formerSections, section) ? (formerSections[section] as string) : section;
}

export function nameOf({ section, key }: { readonly section: string; readonly key: string }): string {
  return `${section}/${key}`;
}

/** A copy of `config` with `value` at `path`, still to be checked. */
export function withValue(config: Config, path: string, value: unknown): Record<string, unknown> {
  const [first = "", second] = path.split(".");
  const all = config as unknown as Readonly<Record<string, unknown>>;
  if (second === undefined) return { ...all, [first]: value };
  return { ...all, [first]: { ...(all[first] as object), [second]: value } };
}

function valueAt(config: Config, path: string): unknown {
  let value: unknown = config;
  for (const part of path.split(".")) value = (value as Record<string, unknown>)[part];
  return value;
}

function text(section: string, key: string, path: string): LiveSetting {
  return { section, key, path, read: (value) => value, show: (config) => String(valueAt(config, path)) };
}

function number(section: string, key: string, path: string): LiveSetting {
  return { ...text(section, key, path), read: (value) => (/^\d{1,15}$/.test(value) ? Number(value) : undefined) };
}

function flag(section: string, key: string, path: string): LiveSetting {
  const values: Readonly<Record<string, boolean>> = { true: true, false: false };
  return { ...text(section, key, path), read: (value) => (Object.hasOwn(values, value) ? values[value] : undefined) };
}

function list(section: string, key: string, path: string): LiveSetting {
  return {
    ...text(section, key, path),
    read: (value) => value.split(",").flatMap((item) => item.trim() || []),
    show: (config) => (valueAt(config, path) as readonly string[]).join(", "),
  };
}

function fixed(section: string, key: string, show: Named["show"], reason: string): FixedSetting {
  return { section, key, show, fixed: reason };
}
