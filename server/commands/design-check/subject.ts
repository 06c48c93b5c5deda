/** A design document whose functions are tried, and what they are tried with. */

import { type DatabaseName, parseDatabaseName, type UserName } from "../../../protocol/ids.js";
import type { JsonDocument } from "../../backend/backend.js";
import { userDatabaseName } from "../../gateway/database-names.js";
import type { FunctionSource, Sandbox } from "../../sandbox/sandbox.js";
import type { AskedFor } from "./samples.js";

export interface Subject {
  readonly document: JsonDocument;
  /** As in the server: functions of templates run in a realm that is frozen against them. */
  readonly shareKey: string;
  readonly sandbox: Sandbox;
}

type Json = Readonly<Record<string, unknown>>;

/** A function of the design document, e.g. `filters.by-type`; undefined when there is none. */
export function functionOf(subject: Subject, ...path: readonly string[]): FunctionSource | undefined {
  const { document, shareKey } = subject;
  let found: unknown = document;
  for (const name of path) {
    const isThere = typeof found === "object" && found !== null && Object.hasOwn(found, name);
    found = isThere ? (found as Json)[name] : undefined;
  }
  if (typeof found !== "string") return undefined;
  return { designDoc: document._id, source: found, shareKey, modules: JSON.stringify(document) };
}

const someRevision = "1-967a00dff5e02add41819138abb3284d";

/** What the database would have given it. */
export function stored(document: Json, index = 0): Json & { readonly _id: string } {
  return { _id: `sample-${index + 1}`, _rev: someRevision, ...document };
}

/** Of a guest nothing is named after. */
export function databaseOf(user: string | null): DatabaseName {
  return user === null ? parseDatabaseName("shared") : userDatabaseName(user as UserName);
}

export function userContextOf({ user, roles }: Pick<AskedFor, "user" | "roles">) {
  return { db: databaseOf(user), name: user, roles };
}

export function securityOf({ user, security }: Pick<AskedFor, "user" | "security">): Json {
  const names = user === null ? [] : [user];
  return security ?? { admins: { roles: ["_admin"] }, members: { names, roles: [] } };
}

/** JSON text of `req`, with the members that a server gives it. */
export function requestFor(asked: AskedFor, path: readonly string[], id: string | null = null): string {
  const { user, query, headers, method = "GET", body = "undefined", req } = asked;
  const database = databaseOf(user);
  const whole = [database, ...path, ...(id === null ? [] : [id])];
  const search = new URLSearchParams(query).toString();
  const raw = `/${whole.map(encodeURIComponent).join("/")}${search && `?${search}`}`;
  return JSON.stringify({
    info: { db_name: database },
    id,
    uuid: "967a00dff5e02add41819138abb3284d",
    method,
    requested_path: whole,
    path: whole,
    raw_path: raw,
    query,
    headers: { Host: "localhost", Accept: "application/json", ...headers },
    body,
    peer: "127.0.0.1",
    form: {},
    cookie: {},
    userCtx: userContextOf(asked),
    secObj: securityOf(asked),
    ...req,
  });
}
