/**
 * Server administrators. There is always one: the configured one or, on the very first start, one with a password that
 * is made here, told once and kept only as a hash, in the document `admins` of `settee_config`.
 */
import { randomBytes } from "node:crypto";
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
}

const documentId = parseDocId("admins");
const generatedName = "admin";
/** 144 bits, as 24 characters without anything to escape. */
const generatedBytes = 18;

export class Admins {
  readonly #backend: Backend;
  readonly #hasher: PasswordHasher;
  #byName: ReadonlyMap<string, Principal> = new Map();
  #loads = 0;
  #unsubscribe: (() => void) | undefined;
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

  find(name: string): Principal | undefined {
    return this.#byName.get(name);
  }

  close(): void {
    this.#unsubscribe?.();
  }

  /** The configured administrator is the only one: whoever renames it does not expect the former one to stay. */
  async #configure({ name, password }: AdminCredentials): Promise<undefined> {
    const user = parseUserName(name);
    const stored = await this.#read();
    const line = stored?.admins[user];
    const isOnlyOne = line !== undefined && Object.keys(stored?.admins ?? {}).length === 1;
    if (isOnlyOne && (await this.#hasher.verify(password, parseAdminPassword(line)))) this.#know(stored);
    else await this.#write(stored, user, password);
  }

  async #generateUnlessThere(): Promise<AdminCredentials | undefined> {
    const stored = await this.#read();
    if (stored && Object.keys(stored.admins).length > 0) {
      this.#know(stored);
      return undefined;
    }
    const password = randomBytes(generatedBytes).toString("base64url");
    await this.#write(stored, parseUserName(generatedName), password);
    return { name: generatedName, password };
  }

  async #write(stored: AdminsDocument | undefined, name: UserName, password: string): Promise<void> {
    const line = formatAdminPassword(await this.#hasher.hash(password));
    const document: AdminsDocument = { ...stored, _id: documentId, admins: { [name]: line } };
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
  }
}
