/** Which functions validate the writes of a database: those of its design documents that are there and in JavaScript. */
import type { Database } from "./database.js";
import type { RevisionNode } from "./revisions/tree.js";
import type { ValidationFunction } from "./validate.js";

const looksAround = /\b(require|this)\b/;

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
