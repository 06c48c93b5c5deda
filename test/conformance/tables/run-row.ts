/** Sends rows, one after the other over one connection as long as the server goes on with it, and tells what is wrong with each. */
import assert from "node:assert/strict";
import { basic } from "../../helpers/http-client.js";
import { waitFor } from "../../helpers/wait-for.js";
import { answerDifferences } from "../differences.js";
import { fill, fillDeep, fillPath, type Variables } from "../variables.js";
import { type RawAnswer, RawConnection } from "./raw-connection.js";
import type { Row } from "./table.js";
import type { World } from "./world.js";

/** On every answer of Settee; CouchDB has it not at all. */
const nosniff: Readonly<Record<string, string | null>> = { "x-content-type-options": "nosniff" };

/** What a refused request must leave as it is. */
interface State {
  readonly documents: number;
  readonly deletedDocuments: number;
  /** The number of the update sequence: what follows it may be spelt differently each time. */
  readonly updates: number;
  readonly databases: string;
}

export class RowRunner {
  readonly #world: World;
  readonly #variables: Variables;
  #connection: RawConnection | undefined;
  #state: State | undefined;

  private constructor(world: World, database: string, rev: string) {
    this.#world = world;
    this.#variables = {
      db: database,
      rev,
      host: new URL(world.url).host,
      authorization: world.adminHeaders.authorization,
    };
  }

  /** Over a database of its own: document `a` with attachments `f` and `plain`, document `b`, and `_local/l`. */
  static async over(world: World): Promise<RowRunner> {
    const database = await world.database();
    const data = Buffer.from("an attachment").toString("base64");
    // The one is stored compressed by both servers, the other as it is.
    const _attachments = { f: { content_type: "text/plain", data }, plain: { content_type: "image/x", data } };
    const [written] = await world.write(database, [{ _id: "a", _attachments }, { _id: "b" }, { _id: "_local/l" }]);
    return new RowRunner(world, database, written?.rev ?? "");
  }

  /** One line for each thing that is wrong. */
  async run(row: Row): Promise<readonly string[]> {
    const before = this.#state ?? (await this.#look());
    const connection = await this.#connect();
    const method = send(connection, row, this.#variables, this.#world);
    const complaints: string[] = [];
    try {
      const answer = await connection.answer(method);
      complaints.push(...wrongAnswer(row, answer, this.#world.isSettee));
      if (row.hangsUp || answer === undefined || answer.headers["connection"] === "close") {
        await waitFor("the server to end the connection", () => connection.ended);
      }
      this.#state = undefined;
      // Over the very same connection, unless it was ended: what is left of a request would be read as the next one.
      const after = await this.#look();
      if (!row.writes) complaints.push(...answerDifferences({ json: before }, { json: after }));
      this.#state = after;
    } catch (error) {
      complaints.push(error instanceof Error ? error.message : String(error));
      this.#drop();
    }
    return complaints;
  }

  close(): void {
    this.#drop();
  }

  async #connect(): Promise<RawConnection> {
    if (this.#connection?.ended) this.#drop();
    this.#connection ??= await RawConnection.open(this.#world.url);
    return this.#connection;
  }

  #drop(): void {
    this.#connection?.close();
    this.#connection = undefined;
    this.#state = undefined;
  }

  async #look(): Promise<State> {
    const info = JSON.parse(await this.#ask("GET /{{db}}"));
    // Whoever could add a member to every object of the server would find it among the documents that are asked for here.
    const nothing = await this.#ask("POST /{{db}}/_revs_diff", "{}");
    assert.equal(nothing.trim(), "{}", "the server's empty object is not empty any more");
    return {
      documents: info.doc_count,
      deletedDocuments: info.doc_del_count,
      updates: Number.parseInt(info.update_seq, 10),
      databases: await this.#ask("GET /_all_dbs"),
    };
  }

  async #ask(ask: string, text?: string): Promise<string> {
    const connection = await this.#connect();
    const row: Row = { name: ask, ask, status: 200, ...(text === undefined ? {} : { text }) };
    const answer = await connection.answer(send(connection, row, this.#variables, this.#world));
    assert.equal(
      answer?.status,
      200,
      `afterwards ${ask} is answered ${answer?.status ?? "by the end of the connection"}`,
    );
    return (answer as RawAnswer).body.toString();
  }
}

/** @returns the method */
function send(connection: RawConnection, row: Row, variables: Variables, world: World): string {
  if ("raw" in row) {
    connection.send(fill(row.raw, variables));
    if (row.hangsUp) connection.hangUp();
    return row.raw.slice(0, row.raw.indexOf(" "));
  }
  const space = row.ask.indexOf(" ");
  const method = row.ask.slice(0, space);
  const body = bodyOf(row, variables);
  const headers: Record<string, string> = { host: String(variables["host"]), accept: "application/json" };
  const authorization = authorizationOf(fill(row.as ?? "admin", variables), world);
  if (authorization !== undefined) headers["authorization"] = authorization;
  if (body !== undefined) Object.assign(headers, { "content-type": "application/json", "content-length": body.length });
  for (const [name, value] of Object.entries(row.headers ?? {})) headers[name] = fill(value, variables);
  const lines = Object.entries(headers).flatMap(([name, value]) => (value === "" ? [] : [`${name}: ${value}\r\n`]));
  const head = `${method} ${fillPath(row.ask.slice(space + 1), variables)} HTTP/1.1\r\n${lines.join("")}\r\n`;
  connection.send(Buffer.from(head, "latin1"), ...(body === undefined ? [] : [body]));
  if (row.hangsUp) connection.hangUp();
  return method;
}

function bodyOf(row: Exclude<Row, { readonly raw: string }>, variables: Variables): Buffer | undefined {
  if (row.bytes) return row.bytes();
  if (row.text !== undefined) return Buffer.from(fill(row.text, variables));
  if (row.json !== undefined) return Buffer.from(JSON.stringify(fillDeep(row.json, variables)));
  return undefined;
}

function authorizationOf(as: string, world: World): string | undefined {
  if (as === "admin") return world.adminHeaders.authorization;
  if (as === "anonymous") return undefined;
  const [name = "", password = ""] = as.split(":");
  return basic(name, password);
}

function wrongAnswer(row: Row, answer: RawAnswer | undefined, isSettee: boolean): readonly string[] {
  if (answer === undefined) return row.status === "none" ? [] : [`status: wanted ${row.status}, got no answer`];
  const text = answer.body.toString();
  if (row.status === "none") return [`no answer wanted, got ${answer.status} ${text.slice(0, 100)}`];
  const headers = { ...(isSettee ? nosniff : {}), ...row.answer };
  const given = Object.fromEntries(Object.keys(headers).map((name) => [name, answer.headers[name] ?? null]));
  const word = row.error === undefined ? {} : { error: row.error };
  const wanted = { status: row.status, json: { ...word, headers } };
  const got = {
    status: answer.status,
    json: { ...(row.error === undefined ? {} : { error: errorIn(text) }), headers: given },
  };
  return [
    ...answerDifferences(wanted, got),
    ...(row.has ?? []).filter((words) => !text.includes(words)).map((words) => `lacks ${words}: ${text.slice(0, 200)}`),
    ...(row.lacks ?? []).filter((words) => text.includes(words)).map((words) => `has ${words}: ${text.slice(0, 200)}`),
  ];
}

/** The word of a refusal; of anything else its beginning, for the difference to show. */
function errorIn(text: string): unknown {
  try {
    return (JSON.parse(text) as { readonly error?: unknown }).error;
  } catch {
    return text.slice(0, 100);
  }
}
