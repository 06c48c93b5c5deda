/** A database that is asked in Mango, without HTTP. */
import { parseDatabaseName } from "../../protocol/ids.js";
import { ByteWriter } from "../../server/documents/bytes.js";
import type { Database } from "../../server/documents/database.js";
import type { IncomingRevision } from "../../server/documents/incoming-revision.js";
import { canonicalJson } from "../../server/documents/json/json-text.js";
import { Indexes } from "../../server/query/indexes/indexes.js";
import type { Json } from "../../server/query/mango/body-members.js";
import { type FindOutcome, find } from "../../server/query/mango/find.js";
import { parseFindRequest } from "../../server/query/mango/find-request.js";
import { foundWriter } from "../../server/query/mango/found-text.js";
import { parseIndexRequest } from "../../server/query/mango/index-request.js";
import { chosenIndex, type Plan, planQuery } from "../../server/query/mango/plan.js";
import { DesignViews } from "../../server/query/views/design-views.js";
import { edit } from "./incoming-revisions.js";
import type { TestStore } from "./temp-store.js";

export interface MangoAnswer extends FindOutcome {
  readonly docs: readonly Json[];
  /** The same as they are sent. */
  readonly texts: readonly string[];
  readonly plan: Plan;
}

type Meanwhile = () => Promise<void>;

const noSandbox = { map: refuse, reduce: refuse };
let made = 0;

export class MangoWorld {
  readonly database: Database;
  readonly #indexes: Indexes;
  readonly #views = new DesignViews({ sandbox: noSandbox });
  readonly #meanwhile: Meanwhile;

  private constructor(database: Database, indexes: Indexes, meanwhile: Meanwhile = async () => undefined) {
    this.database = database;
    this.#indexes = indexes;
    this.#meanwhile = meanwhile;
  }

  static async create({ databases }: TestStore, { partitioned = false } = {}): Promise<MangoWorld> {
    made += 1;
    const database = await databases.create(parseDatabaseName(`mango-${made}`), { partitioned });
    return new MangoWorld(database, new Indexes(databases));
  }

  /** The same world, in which something happens when a query holds its index and has read nothing yet. */
  whenHeld(meanwhile: Meanwhile): MangoWorld {
    return new MangoWorld(this.database, this.#indexes, meanwhile);
  }

  /** The next revision of each document; undefined: it is deleted. */
  async write(documents: readonly (readonly [id: string, body: Json | undefined])[]): Promise<void> {
    const revisions = documents.flatMap(([id, body]) => this.#edit(id, body) ?? []);
    for (const { error } of await this.database.write(revisions, "trusted")) if (error) throw error;
  }

  /** By bodies of `_index`, each in a design document of its own. */
  async createIndexes(bodies: readonly Json[]): Promise<void> {
    await this.write(
      bodies.map(parseIndexRequest).map(({ designDoc, name, view, partitioned }) => {
        const options = partitioned === undefined ? {} : { options: { partitioned } };
        return [designDoc, { language: "query", views: { [name]: JSON.parse(view) }, ...options }];
      }),
    );
  }

  async plan(body: Json): Promise<Plan> {
    return planQuery(await this.#views.mangoIndexesOf(this.database), parseFindRequest(body));
  }

  async find(body: Json): Promise<MangoAnswer> {
    const request = parseFindRequest(body);
    const plan = await this.plan(body);
    const index = chosenIndex(plan, request, this.database);
    const opened = index.type === "json" ? await this.#indexes.open(this.database, index.definition) : undefined;
    await opened?.bringUpToDate();
    const held = opened && index.type === "json" ? { index, version: opened.hold() } : undefined;
    try {
      await this.#meanwhile();
      const finding = find({ database: this.database, held, mustGoOn: () => undefined }, request, plan);
      const write = foundWriter(this.database, request, index);
      const texts: string[] = [];
      for (;;) {
        const { done, value } = await finding.next();
        if (done) return { texts, docs: texts.map((text) => JSON.parse(text) as Json), plan, ...value };
        for (const found of value) {
          const out = new ByteWriter();
          write(out, found);
          texts.push(out.view().toString());
        }
      }
    } finally {
      await held?.version.release();
    }
  }

  #edit(id: string, body: Json | undefined): IncomingRevision | undefined {
    const document = this.database.find(id);
    const winner = document?.record.tree[document.record.winner];
    const on = winner && !winner.deleted ? `${winner.generation}-${winner.hash}` : undefined;
    if (!body && on === undefined) return undefined;
    return { ...edit(id, { on, deleted: !body }), body: canonicalText(body ?? {}) };
  }
}

function canonicalText(body: Json): Buffer {
  return canonicalJson(Buffer.from(JSON.stringify(body)));
}

async function refuse(): Promise<never> {
  throw new Error("Mango needs no sandbox");
}
