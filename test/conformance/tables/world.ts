/** What rows and scenarios work with: a server, its administrator, and databases that are removed when all is done. */
import { randomBytes } from "node:crypto";
import { basic, HttpClient, type HttpReply } from "../../helpers/http-client.js";
import type { ServerProcess } from "../../helpers/server-process.js";

export interface WorldOptions {
  /** The server, with an administrator's name and password in it. */
  readonly url: string;
  /** The server's process, when it is ours. */
  readonly process?: ServerProcess | undefined;
}

export class World {
  /** E.g. `http://127.0.0.1:5984`. */
  readonly url: string;
  readonly adminHeaders: { readonly authorization: string };
  /** Asks as the administrator. */
  readonly client: HttpClient;
  /** By its own word: what is for Settee only is asked of nobody else. */
  readonly isSettee: boolean;
  readonly #process: ServerProcess | undefined;
  readonly #databases = new Set<string>();
  readonly #users = new Set<string>();

  private constructor({ url, process }: WorldOptions, isSettee: boolean) {
    const server = new URL(url);
    this.isSettee = isSettee;
    this.url = server.origin;
    const authorization = basic(decodeURIComponent(server.username), decodeURIComponent(server.password));
    this.adminHeaders = { authorization };
    this.client = new HttpClient(this.url, authorization);
    this.#process = process;
  }

  static async open(options: WorldOptions): Promise<World> {
    const welcome = await fetch(new URL(options.url).origin);
    return new World(options, welcome.headers.get("server")?.includes("Settee") === true);
  }

  get ownsProcess(): boolean {
    return this.#process !== undefined;
  }

  /** For scenarios that need it: they are run nowhere else. */
  get process(): ServerProcess {
    if (!this.#process) throw new Error("the server's process is not ours");
    return this.#process;
  }

  /** A name that no database has yet; one that gets it is removed by `close`. */
  name(): string {
    const name = `tables-${randomBytes(6).toString("hex")}`;
    this.#databases.add(name);
    return name;
  }

  /** A name that no user has yet; whoever gets it is removed by `close`. */
  userName(): string {
    const name = `tables-${randomBytes(6).toString("hex")}`;
    this.#users.add(name);
    return name;
  }

  /** A fresh database; resolves to its name. */
  async database(): Promise<string> {
    const name = this.name();
    await this.client.expect(201, "PUT", `/${name}?q=1`);
    return name;
  }

  /** Writes documents of one `_bulk_docs`. @throws Error when one of them was refused */
  async write(
    database: string,
    docs: readonly object[],
  ): Promise<readonly { readonly id: string; readonly rev: string }[]> {
    const reply = await this.client.expect(201, "POST", `/${database}/_bulk_docs`, { body: { docs } });
    const rows = reply.json() as { readonly id: string; readonly rev: string; readonly error?: string }[];
    const refused = rows.find(({ error }) => error !== undefined);
    if (refused) throw new Error(`${refused.id} was not written: ${refused.error}`);
    return rows;
  }

  async info(
    database: string,
  ): Promise<{ readonly doc_count: number; readonly doc_del_count: number; readonly update_seq: string }> {
    return (await this.client.expect(200, "GET", `/${database}`)).json();
  }

  /** Asks as somebody else. */
  sendAs(name: string, password: string, method: string, path: string, body?: unknown): Promise<HttpReply> {
    return this.client.send(method, path, { authorization: basic(name, password), body });
  }

  async close(): Promise<void> {
    for (const name of this.#databases) await this.client.send("DELETE", `/${name}`);
    for (const name of this.#users) {
      const path = `/_users/org.couchdb.user:${name}`;
      const { status, headers } = await this.client.send("HEAD", path);
      if (status === 200) await this.client.send("DELETE", path, { headers: { "if-match": headers.etag ?? "" } });
    }
    this.client.close();
  }
}
