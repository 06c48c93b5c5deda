/** Which functions validate the writes of a database: those of its design documents that are there and in JavaScript. */
import type { Database } from "./database.js";
import type { RevisionNode } from "./revisions/tree.js";
import type { ValidationFunction } from "./validate.js";

const looksAround = /\b(require|this)\b/;

/** The functions of one database: read when they are first asked for, and again after a design document changed. */
export class ValidationFunctions {
  #known: readonly ValidationFunction[] | undefined;
  #version = 0;
  readonly #find: () => Promise<readonly ValidationFunction[]>;

  constructor(find: () => Promise<readonly ValidationFunction[]>) {
    this.#find = find;
  }

  /** Without a promise once they are known: every write asks. */
  get(): readonly ValidationFunction[] | Promise<readonly ValidationFunction[]> {
    return this.#known ?? this.#load();
  }

  designDocumentsChanged(): void {
    this.#version++;
    this.#known = undefined;
  }

  async #load(): Promise<readonly ValidationFunction[]> {
    const version = this.#version;
    const functions = await this.#find();
    // A design document that was written meanwhile makes what was read stale; the next write reads again.
    if (version === this.#version) this.#known = functions;
    return functions;
  }
}

export async function findValidationFunctions(
  database: Pick<Database, "documents" | "value">,
  shareKeyOf?: (source: string) => string | undefined,
): Promise<readonly ValidationFunction[]> {
  const functions: ValidationFunction[] = [];
  for await (const documents of database.documents({ from: "_design/", to: "_design0" })) {
    for (const document of documents) {
      const { tree, winner } = document.record;
      const value = (tree[winner] as RevisionNode).deleted ? undefined : database.value(document, winner);
      if (!value) continue;
      const { language, validate_doc_update: source } = JSON.parse(value.body.toString()) as Record<string, unknown>;
      if (typeof source !== "string" || (language !== undefined && language !== "javascript")) continue;
      const shareKey = shareKeyOf?.(source);
      functions.push({
        designDoc: document.id,
        source,
        ...(shareKey === undefined ? {} : { shareKey }),
        // The whole design document travels to the sandbox only for functions that can look at it.
        ...(looksAround.test(source) ? { modules: value.body.toString() } : {}),
      });
    }
  }
  return functions;
}
