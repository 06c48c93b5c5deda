/** People of the client tests, signed up as an app does it. */
import { equal } from "node:assert/strict";
import { basic, HttpClient } from "../helpers/http-client.js";
import { type Pouch, remoteDatabase } from "../helpers/pouchdb-device.js";
import { adminAuthorization, type SetteeProcess } from "../helpers/settee-process.js";

export interface User {
  readonly name: string;
  readonly password: string;
  readonly authorization: string;
  /** The name of the user's own database. */
  readonly database: string;
}

export async function signUp(settee: SetteeProcess, name: string): Promise<User> {
  const guest = new HttpClient(settee.url);
  const password = `the password of ${name}`;
  const reply = await guest.expect(201, "POST", "/_settee/signup", { body: { name, password } });
  guest.close();
  const { ok, name: signedUp, database } = reply.json();
  equal(ok, true);
  equal(signedUp, name);
  return { name, password, authorization: basic(name, password), database };
}

/** The user's own database by the name that every client can hard-code. */
export function ownDatabase(settee: SetteeProcess, user: User): Pouch {
  return remoteDatabase(`${settee.url}/_me`, user.name, user.password);
}

/** The same database by its real name. */
export function namedDatabase(settee: SetteeProcess, user: User): Pouch {
  return remoteDatabase(`${settee.url}/${user.database}`, user.name, user.password);
}

export function administrator(settee: SetteeProcess): HttpClient {
  return new HttpClient(settee.url, adminAuthorization);
}

/** Documents as an app of notes would have them; a template may insist on a `type`. */
export function note(id: string, text: string) {
  return { _id: id, type: "note", text };
}

export function notes(count: number, prefix = "note") {
  return Array.from({ length: count }, (_, index) =>
    note(`${prefix}-${String(index).padStart(6, "0")}`, `text ${index} of ${prefix}`),
  );
}
