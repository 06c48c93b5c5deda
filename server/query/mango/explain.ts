/** `_explain`: how a query would be answered. */
import type { Json } from "./body-members.js";
import type { FindRequest } from "./find-request.js";
import { indexCandidates } from "./index-candidates.js";
import { endKey, maximum, startKey } from "./index-ranges.js";
import { indexJson, type MangoIndex } from "./mango-index.js";
import type { Plan } from "./plan.js";
import { selectorJson } from "./selector.js";
import { fieldsIn, indexableFields } from "./selector-fields.js";
import { sortJson } from "./sort.js";

interface ExplainedDatabase {
  readonly name: string;
  readonly partitioned: boolean;
}

export function explain({ name, partitioned }: ExplainedDatabase, request: FindRequest, plan: Plan): Json {
  const { selector, limit, skip, fields } = request;
  const indexable = indexableFields(selector);
  return {
    dbname: name,
    index: plan.index ? indexJson(plan.index) : null,
    partitioned,
    selector: selectorJson(selector),
    opts: optionsJson(request),
    limit,
    skip,
    fields: fields?.names ?? [],
    index_candidates: indexCandidates(plan, request),
    selector_hints: [
      {
        type: "json",
        indexable_fields: indexable,
        unindexable_fields: fieldsIn(selector).filter((field) => !indexable.includes(field)),
      },
    ],
    ...(plan.index ? { mrargs: viewArguments(plan.index, request, plan), covering: plan.isCovering } : {}),
  };
}

function optionsJson(request: FindRequest): Json {
  return {
    use_index: request.useIndex,
    bookmark: request.bookmark ?? "nil",
    limit: request.limit,
    skip: request.skip,
    sort: sortJson(request.sort),
    fields: request.fields?.names ?? [],
    partition: request.partition ?? "",
    r: request.copies,
    conflicts: request.conflicts,
    stale: request.stale,
    update: request.update,
    stable: request.stable,
    execution_stats: request.executionStats,
    allow_fallback: request.allowFallback,
  };
}

/** What CouchDB would ask of the view that the index is there. */
function viewArguments(index: MangoIndex, request: FindRequest, { ranges, isCovering }: Plan): Json {
  const isStale = request.stale === "ok";
  const [low, high] =
    ranges === "empty" ? [null, null] : index.type === "special" ? idKeys(ranges) : [startKey(ranges), endKey(ranges)];
  const isDescending = request.sort[0]?.direction === "desc";
  return {
    include_docs: request.copies === 1 && !isCovering,
    view_type: "map",
    reduce: false,
    partition: request.partition ?? null,
    start_key: isDescending ? high : low,
    end_key: isDescending ? low : high,
    direction: isDescending ? "rev" : "fwd",
    stable: isStale || request.stable,
    update: !isStale && request.update,
    conflicts: request.conflicts || "undefined",
  };
}

/** Keys of `_all_docs` are ids. */
function idKeys([range]: Exclude<Plan["ranges"], "empty">): readonly [unknown, unknown] {
  if (!range) return [null, maximum];
  return [range.low ? range.low.value : "", range.high ? range.high.value : maximum];
}
