/** A gateway over a store in memory, with cheap passwords and a clock that stands still until it is moved. */
import type { TestContext } from "node:test";
import { CouchError } from "../../protocol/errors.js";
import { parseDatabaseName, parseUserName, type UserName } from "../../protocol/ids.js";
import type { Identity } from "../../protocol/security.js";
import type { Backend, JsonDocument } from "../../server/backend/backend.js";
import { userDocumentId } from "../../server/gateway/accounts.js";
import { Gateway } from "../../server/gateway/gateway.js";
import type { GatewayOptions } from "../../server/gateway/gateway-options.js";
import type { TokenLives } from "../../server/gateway/keys/token-lives.js";
import type { Template } from "../../server/gateway/provisioning.js";
import { MemoryBackend } from "./memory-backend.js";

export const admin = { name: "admin", password: "the admin's password" };
export const origin = { address: "127.0.0.1" };
export const users = parseDatabaseName("_users");
export const sessions = parseDatabaseName("settee_sessions");

export const notes: JsonDocument = { _id: "_design/notes", views: { all: { map: "(doc) => emit(doc._id)" } } };
export const templates: ReadonlyMap<string, Template> = new Map([
  ["user", { name: "user", version: "1", designDocuments: [notes, { _id: "_design/rules", language: "javascript" }] }],
  ["team", { name: "team", version: "1", designDocuments: [notes] }],
]);

export class Clock {
  milliseconds = Date.UTC(2026, 0, 1);
  readonly now = (): number => this.milliseconds;
  advance(seconds: number): void {
    this.milliseconds += seconds * 1000;
  }
}

export interface World {
  readonly gateway: Gateway;
  readonly backend: MemoryBackend;
  readonly clock: Clock;
}

export interface WorldOptions extends Partial<GatewayOptions> {
  readonly backend?: MemoryBackend;
  readonly clock?: Clock;
}

export function newGateway(backend: Backend, clock: Clock, options: Partial<GatewayOptions> = {}): Gateway {
  const all = { secret: "a secret for tests only", admin, passwordIterations: 2, now: clock.now, ...options };
  return new Gateway({ backend, loadTemplates: async () => templates, options: all });
}

/** A started gateway; closed when the test ends. */
export async function world(t: TestContext, options: WorldOptions = {}): Promise<World> {
  const { backend = new MemoryBackend(), clock = new Clock(), ...rest } = options;
  const gateway = newGateway(backend, clock, rest);
  await gateway.start();
  t.after(() => gateway.close());
  return { gateway, backend, clock };
}

/** An account with nothing but what is given, as an administrator would write it. */
export async function putUser(backend: Backend, name: string, members: Record<string, unknown>): Promise<UserName> {
  const user = parseUserName(name);
  await backend.putDocument(users, { _id: userDocumentId(user), name, type: "user", roles: [], ...members });
  return user;
}

/** Changes members of the user's document; undefined removes one. */
export async function changeUser(backend: Backend, name: string, members: Record<string, unknown>): Promise<void> {
  const stored = await backend.getDocument(users, userDocumentId(parseUserName(name)));
  if (!stored) throw new Error(`${name} has no document`);
  await backend.putDocument(users, JSON.parse(JSON.stringify({ ...stored, ...members })));
}

export function basic(name: string, password: string): string {
  return `Basic ${Buffer.from(`${name}:${password}`).toString("base64")}`;
}

/** The `name=value` of a `Set-Cookie` header, as a client sends it back. */
export function sentBack(setCookie: string): string {
  return setCookie.slice(0, setCookie.indexOf(";"));
}

export function identity(name: string | null, roles: readonly string[] = []): Identity {
  return name === null ? { name, roles, method: "anonymous" } : { name: parseUserName(name), roles, method: "default" };
}

/** For `assert.rejects` and `assert.throws`. */
export function refused(error: string, reason?: string): (thrown: unknown) => boolean {
  return (thrown) =>
    thrown instanceof CouchError && thrown.error === error && (reason === undefined || thrown.reason === reason);
}

/** As `DELETE /_session` does with this cookie. @returns the `Set-Cookie` header */
export async function logOut(gateway: Gateway, cookie: string | undefined): Promise<string> {
  const { standing } = await gateway.identify({ cookie, ...origin });
  return gateway.logOut(standing);
}

export const lives = (refreshSeconds: number): TokenLives => ({ accessSeconds: 900, refreshSeconds, byRole: {} });
