/** The views of design documents, parsed once for each revision of them. */
import { CouchError } from "../../../protocol/errors.js";
import type { Database } from "../../documents/database.js";
import { canonicalJson } from "../../documents/json/json-text.js";
import { type RevisionNode, revOf } from "../../documents/revisions/tree.js";
import { pickWinner } from "../../documents/show-document.js";
import type { Sandbox } from "../../sandbox/sandbox.js";
import type { JsonIndex } from "../mango/mango-index.js";
import { type QueryGroup, queryGroup } from "../mango/query-group.js";
import { type DesignBody, type View, type ViewGroup, viewGroup } from "./view-group.js";

export interface DesignViewsParts {
  readonly sandbox: Pick<Sandbox, "map" | "reduce">;
  /** Names the realm that a function may share with other databases: the operator's own code. */
  readonly shareKeyOf?: (source: string) => string | undefined;
}

interface KnownGroup {
  readonly rev: string;
  readonly group: ViewGroup | QueryGroup;
}

/** What was found out about the design documents of a database before they changed again. */
interface KnownIndexes {
  readonly designVersion: number;
  readonly indexes: readonly JsonIndex[];
}

export class DesignViews {
  readonly #parts: DesignViewsParts;
  readonly #known = new WeakMap<Database, Map<string, KnownGroup>>();
  readonly #mangoIndexes = new WeakMap<Database, KnownIndexes>();

  constructor(parts: DesignViewsParts) {
    this.#parts = parts;
  }

  /** `designDoc` with `_design/`. @throws CouchError not_found, unknown_query_language, invalid_design_doc */
  groupOf(database: Database, designDoc: string): ViewGroup | QueryGroup {
    const document = database.find(designDoc);
    const known = this.#knownOf(database);
    const found = known.get(designDoc);
    // Asked by every query: the body is looked at for a new revision only.
    const winner = document?.record.tree[document.record.winner];
    if (found && winner && found.rev === revOf(winner)) return found.group;
    const { value } = pickWinner(database, document);
    const rev = revOf(winner as RevisionNode);
    const group = this.#parse(database, designDoc, value.body);
    known.set(designDoc, { rev, group });
    return group;
  }

  /** All groups of a database that can be queried. */
  async groupsOf(database: Database): Promise<readonly (ViewGroup | QueryGroup)[]> {
    const groups: (ViewGroup | QueryGroup)[] = [];
    for await (const documents of database.documents({ from: "_design/", to: "_design0" })) {
      for (const { id, record } of documents) {
        if ((record.tree[record.winner] as RevisionNode).deleted) continue;
        try {
          groups.push(this.groupOf(database, id));
        } catch (error) {
          // A design document that nobody can query has no index either.
          if (!(error instanceof CouchError)) throw error;
        }
      }
    }
    return groups;
  }

  /** Of the indexes that a database should have. */
  async signaturesOf(database: Database): Promise<ReadonlySet<string>> {
    const groups = await this.groupsOf(database);
    return new Set(groups.map(({ definition }) => definition.signature));
  }

  /** Mango's indexes of a database. Without a promise once they are known: every query asks. */
  mangoIndexesOf(database: Database): readonly JsonIndex[] | Promise<readonly JsonIndex[]> {
    const known = this.#mangoIndexes.get(database);
    return known?.designVersion === database.designVersion ? known.indexes : this.#loadMangoIndexes(database);
  }

  /** Of a design document that is not in the database, or not yet. @throws CouchError unknown_query_language, invalid_design_doc */
  parse(database: Database, designDoc: string, body: DesignBody): ViewGroup | QueryGroup {
    return this.#parse(database, designDoc, canonicalJson(Buffer.from(JSON.stringify(body))));
  }

  #parse(database: Database, designDoc: string, text: Buffer): ViewGroup | QueryGroup {
    const body = JSON.parse(text.toString()) as DesignBody;
    const { language = "javascript" } = body;
    if (language === "javascript") return viewGroup(database, designDoc, body, this.#parts);
    if (language === "query") return queryGroup(database, designDoc, text);
    throw new CouchError("unknown_query_language", language);
  }

  async #loadMangoIndexes(database: Database): Promise<readonly JsonIndex[]> {
    // Before they are read: a design document that is written meanwhile makes what was read stale.
    const { designVersion } = database;
    const groups = await this.groupsOf(database);
    const indexes = groups.flatMap((group) => ("mangoIndexes" in group ? group.mangoIndexes : []));
    this.#mangoIndexes.set(database, { designVersion, indexes });
    return indexes;
  }

  #knownOf(database: Database): Map<string, KnownGroup> {
    let known = this.#known.get(database);
    if (!known) {
      known = new Map();
      this.#known.set(database, known);
    }
    return known;
  }
}

/** @throws CouchError not_found `missing_named_view` */
export function viewOf(group: ViewGroup, name: string): View {
  const view = group.views.get(name);
  if (!view) throw new CouchError("not_found", "missing_named_view");
  return view;
}
