import { deepEqual, ok } from "node:assert/strict";
import type { BenchCase, BenchRow, CaseContext } from "../bench-case.js";
import { Connection } from "../load/connection.js";
import { documentId, documentOf, documentsOf } from "../load/documents.js";
import { quantile } from "../load/quantile.js";

const documents = 2000;
const hostileDocuments = 200;
/** Of each kind, asking again as soon as they are answered. */
const attackers = 2;

const honest = {
  language: "javascript",
  validate_doc_update: "function (doc) { if (!doc._deleted && !doc.type) throw({forbidden: 'type is missing'}); }",
  views: { "by-number": { map: "function (doc) { emit(doc.number, null); }" } },
};
const view = (map: string) => ({ language: "javascript", views: { v: { map } } });
const hostile: Readonly<Record<string, object>> = {
  loop: view("function (doc) { for (;;); }"),
  bomb: view("function (doc) { var all = []; for (;;) all.push(new Uint8Array(65536)); }"),
};

const kinds = ["get", "put"] as const;
type Kind = (typeof kinds)[number];

/** What a database whose functions never end, and one after the other eat their memory, costs everybody else. */
export const hostileDesign: BenchCase = {
  id: "hostile-design",
  onlySettee: true,
  rows: kinds.flatMap(rowsOf),
  async run(context) {
    const { load, createDatabase, fill, quick } = context;
    const milliseconds = quick ? 3000 : 10_000;
    const database = await createDatabase();
    await load.ask("PUT", `${database}/_design/app`, honest);
    await fill(database, documentsOf(0, documents));
    await load.ask("GET", `${database}/_design/app/_view/by-number?limit=1`);

    const others = await Others.open(context, database);
    await others.ask(milliseconds / 4);
    const idle = await others.ask(milliseconds);
    const attack = await Attack.begin(context);
    const during = await others.ask(milliseconds);
    others.close();
    deepEqual(await attack.end(), { underWay: true, succeeded: 0 });
    return Object.fromEntries(
      kinds.flatMap((kind) =>
        [0.5, 0.99].map((q) => [`hostile-${kind}-${q}`, quantile(during[kind], q) / quantile(idle[kind], q)]),
      ),
    );
  },
};

function rowsOf(kind: Kind): readonly BenchRow[] {
  const label = `a hostile design document: ${kind.toUpperCase()} of others`;
  return [
    { id: `hostile-${kind}-0.5`, label: `${label}, p50`, unit: "× idle", goal: 2, lessIsBetter: true },
    { id: `hostile-${kind}-0.99`, label: "the same: p99", unit: "× idle", goal: 2, lessIsBetter: true },
  ];
}

/** Milliseconds of each request. */
type Latencies = Readonly<Record<Kind, number[]>>;

/** One client of another database that reads and writes, one after the other. */
class Others {
  readonly #context: CaseContext;
  readonly #database: string;
  readonly #connection: Connection;
  #number = documents;

  private constructor(context: CaseContext, database: string, connection: Connection) {
    this.#context = context;
    this.#database = database;
    this.#connection = connection;
  }

  static async open(context: CaseContext, database: string): Promise<Others> {
    return new Others(context, database, await Connection.open(context.peer.target.url));
  }

  async ask(milliseconds: number): Promise<Latencies> {
    const latencies: Latencies = { get: [], put: [] };
    for (const end = performance.now() + milliseconds; performance.now() < end; ) {
      for (const kind of kinds) latencies[kind].push(await this.#one(kind));
    }
    return latencies;
  }

  close(): void {
    this.#connection.close();
  }

  async #one(kind: Kind): Promise<number> {
    const { load } = this.#context;
    const { _id, ...body } = documentOf(this.#number++);
    const request =
      kind === "put"
        ? load.prepare("PUT", `${this.#database}/${_id}`, body)
        : load.prepare("GET", `${this.#database}/${documentId((this.#number * 7919) % documents)}`);
    const sent = performance.now();
    const { status } = await this.#connection.send(request);
    ok(status < 300, `another's ${kind} was answered ${status}`);
    return performance.now() - sent;
  }
}

/** Clients that query views of the hostile kind again and again. */
class Attack {
  readonly #asking: Promise<unknown>;
  readonly #connections: readonly Connection[];
  #isOver = false;
  #ended = false;
  #succeeded = 0;

  private constructor(load: CaseContext["load"], database: string, connections: readonly Connection[]) {
    this.#connections = connections;
    const names = Object.keys(hostile);
    this.#asking = Promise.all(
      connections.map(async (connection, index) => {
        const path = `${database}/_design/${names[index % names.length]}/_view/v`;
        while (!this.#isOver) {
          const { status } = await connection.send(load.prepare("GET", path));
          if (status < 500) this.#succeeded++;
        }
      }),
    ).finally(() => {
      this.#ended = true;
    });
  }

  static async begin({ load, peer, createDatabase, fill }: CaseContext): Promise<Attack> {
    const database = await createDatabase();
    await fill(database, documentsOf(0, hostileDocuments));
    const connections = await Promise.all(
      Array.from({ length: attackers * Object.keys(hostile).length }, () => Connection.open(peer.target.url)),
    );
    for (const [name, document] of Object.entries(hostile))
      await load.ask("PUT", `${database}/_design/${name}`, document);
    return new Attack(load, database, connections);
  }

  async end(): Promise<{ readonly underWay: boolean; readonly succeeded: number }> {
    const underWay = !this.#ended;
    this.#isOver = true;
    for (const connection of this.#connections) connection.close();
    await this.#asking.catch(() => undefined);
    return { underWay, succeeded: this.#succeeded };
  }
}
