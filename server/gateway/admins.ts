/**
 * Server administrators. There is always one: the configured one or, on the very first start, one with a password that
 * is made here, told once and kept only as a hash, in the document `admins` of `settee_config`.
 */
import { randomBytes } from "node:crypto";
import { CouchError } from "../../protocol/errors.js";
import { parseDocId, parseUserName, type UserName } from "../../protocol/ids.js";
import type { Backend, JsonDocument } from "../backend/backend.js";
import type { PasswordHasher } from "./password-hasher.js";
import { formatAdminPassword, parseAdminPassword } from "./passwords.js";
import type { Principal } from "./principals.js";
import { retryConflicts } from "./retry-conflicts.js";
import { configDatabase } from "./system-databases.js";

export interface AdminCredentials {
  readonly name: string;
  readonly password: string;
}

interface AdminsDocument extends JsonDocument {
  /** Name to `-pbkdf2:sha256-...`, as in CouchDB's configuration. */
  readonly admins: Readonly<Record<string, string>>;
  /** The one that a start of the server wrote, and not an administrator. */
  readonly ofStart?: string;
}

const documentId = parseDocId("admins");
const hashPrefix = /^-(pbkdf2|hashed)[-:]/;
const generatedName = "admin";
/** 144 bits, as 24 characters without anything to escape. */
const generatedBytes = 18;

export class Admins {
  readonly #backend: Backend;
  readonly #hasher: PasswordHasher;
  #byName: ReadonlyMap<string, Principal> = new Map();
  #loads = 0;
  #unsubscribe: (() => void) | undefined;
  #configured: string | undefined;
  readonly #listeners = new Set<() => void>();
  readonly #onError: (error: unknown) => void;

  constructor(backend: Backend, hasher: PasswordHasher, onError: (error: unknown) => void) {
    this.#backend = backend;
    this.#hasher = hasher;
    this.#onError = onError;
  }

  /** @returns the administrator whose password was made just now: nobody can ever read it again */
  async start(configured: AdminCredentials | undefined): Promise<AdminCredentials | undefined> {
    this.#unsubscribe = this.#backend.subscribe(configDatabase, (change) => {
      if (change.id === documentId) this.#load().catch(this.#onError);
    });
    return retryConflicts(() => (configured ? this.#configure(configured) : this.#generateUnlessThere()));
  }

  /** Tells that they may have changed. */
  subscribe(listener: () => void): void {
    this.#listeners.add(listener);
  }

  find(name: string): Principal | undefined {
    return this.#byName.get(name);
  }

  names(): readonly string[] {
    return [...this.#byName.keys()].sort();
  }

  /**
   * A new administrator, or a new password for one. `password` may be a hash as CouchDB writes it into its configuration.
   * @throws CouchError bad_request, forbidden for the configured one
   */
  set(name: string, password: string): Promise<void> {
    return this.#change(name, async (admins, user) => ({ ...admins, [user]: await this.#lineFor(password) }));
  }

  /** @throws CouchError not_found, forbidden for the configured and for the last one */
  remove(name: string): Promise<void> {
    return this.#change(name, async (admins, user) => {
      if (!Object.hasOwn(admins, user)) throw new CouchError("not_found", "unknown_config_value");
      const { [user]: _, ...others } = admins;
      if (Object.keys(others).length > 0) return others;
      throw new CouchError("forbidden", "The last administrator cannot be removed: nobody could make another one.");
    });
  }

  close(): void {
    this.#unsubscribe?.();
  }

  /** Whoever configures another name does not expect the former one to stay; those whom administrators made do. */
  async #configure({ name, password }: AdminCredentials): Promise<undefined> {
    const user = parseUserName(name);
    this.#configured = user;
    const stored = await this.#read();
    const line = stored?.admins[user];
    const isAsBefore = line !== undefined && stored?.ofStart === user;
    if (isAsBefore && (await this.#hasher.verify(password, parseAdminPassword(line)))) this.#know(stored);
    else await this.#writeOfStart(stored, user, password);
  }

  async #generateUnlessThere(): Promise<AdminCredentials | undefined> {
    const stored = await this.#read();
    if (stored && Object.keys(stored.admins).length > 0) {
      this.#know(stored);
      return undefined;
    }
    const password = randomBytes(generatedBytes).toString("base64url");
    await this.#writeOfStart(stored, parseUserName(generatedName), password);
    return { name: generatedName, password };
  }

  async #writeOfStart(stored: AdminsDocument | undefined, name: UserName, password: string): Promise<void> {
    const others = { ...stored?.admins };
    if (stored?.ofStart !== undefined) delete others[stored.ofStart];
    const admins = { ...others, [name]: await this.#lineFor(password) };
    await this.#write({ ...stored, _id: documentId, admins, ofStart: name });
  }

  async #change(
    name: string,
    change: (admins: AdminsDocument["admins"], user: UserName) => Promise<AdminsDocument["admins"]>,
  ): Promise<void> {
    const user = parseUserName(name);
    if (user === this.#configured) {
      throw new CouchError(
        "forbidden",
        `${user} is set in the configuration file or the environment, and comes back with each start.`,
      );
    }
    await retryConflicts(async () => {
      const stored = await this.#read();
      await this.#write({ ...stored, _id: documentId, admins: await change(stored?.admins ?? {}, user) });
    });
  }

  /** @throws CouchError bad_request */
  async #lineFor(password: string): Promise<string> {
    if (password === "") throw new CouchError("bad_request", "An administrator needs a password.");
    if (parseAdminPassword(password)) return password;
    // Taken for a password, a hash that is not understood would let in whoever has seen it.
    if (hashPrefix.test(password))
      throw new CouchError("bad_request", "That is a hash of a kind that cannot be checked here.");
    return formatAdminPassword(await this.#hasher.hash(password));
  }

  async #write(document: AdminsDocument): Promise<void> {
    await this.#backend.putDocument(configDatabase, document);
    // Not read back: nothing that can fail may stand between the writing of a new password and its telling.
    this.#know(document);
  }

  #read(): Promise<AdminsDocument | undefined> {
    return this.#backend.getDocument<AdminsDocument>(configDatabase, documentId);
  }

  async #load(): Promise<void> {
    const turn = ++this.#loads;
    const document = await this.#read();
    // A later reading is under way or done, and knows better.
    if (turn === this.#loads) this.#know(document);
  }

  #know(document: AdminsDocument | undefined): void {
    this.#byName = new Map(
      Object.entries(document?.admins ?? {}).map(([name, line]) => [
        name,
        { name: parseUserName(name), roles: ["_admin"], password: parseAdminPassword(line) },
      ]),
    );
    for (const listener of this.#listeners) listener();
  }
}
