/** What is told of a query that found what it asked for, and could have found it faster. */
import type { FindStatistics } from "./find.js";
import type { FindRequest } from "./find-request.js";
import { withPrefix } from "./index-request.js";
import type { MangoIndex } from "./mango-index.js";

/** Documents looked at for each that was found. */
const mostForEach = 10;

export function findWarnings(
  { useIndex }: FindRequest,
  index: MangoIndex,
  { documentsExamined, results }: FindStatistics,
): readonly string[] {
  const warnings: string[] = [];
  if (!isAskedFor(useIndex, index)) warnings.push(notUsed(useIndex));
  if (index.type === "special") {
    warnings.push("No matching index found, create an index to optimize query time.");
  }
  if (documentsExamined > mostForEach * Math.max(1, results)) {
    warnings.push(
      "The number of documents examined is high in proportion to the number of results returned. " +
        "Consider adding a more specific index to improve this.",
    );
  }
  return warnings;
}

function isAskedFor([designDoc, name]: readonly string[], index: MangoIndex): boolean {
  if (designDoc === undefined) return true;
  if (index.type === "special" || index.designDoc !== withPrefix(designDoc)) return false;
  return name === undefined || name === index.name;
}

function notUsed([designDoc = "", name]: readonly string[]): string {
  const id = withPrefix(designDoc);
  if (name === undefined) return `${id} was not used because it does not contain a valid index for this query.`;
  return `${id}, ${name} was not used because it is not a valid index for this query.`;
}
