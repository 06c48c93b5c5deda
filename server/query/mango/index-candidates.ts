/** What `_explain` tells of the indexes that were not chosen: why, and how far they were from it. */
import type { Json } from "./body-members.js";
import type { FindRequest } from "./find-request.js";
import { columnsOf, compareIndexes, indexJson, type MangoIndex } from "./mango-index.js";
import { covers, type Plan } from "./plan.js";

interface Analysis {
  readonly usable: boolean;
  readonly reason: string;
  readonly ranking: number;
}

/** In CouchDB's order, which is from the last name to the first. */
export function indexCandidates(plan: Plan, { fields }: FindRequest): readonly Json[] {
  const analyse = analyser(plan);
  return plan.steps.all
    .filter((index) => index !== plan.index)
    .toSorted((a, b) => compareIndexes(b, a))
    .map((index) => {
      const { usable, reason, ranking } = analyse(index);
      const covering = index.type === "special" ? null : covers(index, fields?.names);
      return { index: indexJson(index), analysis: { usable, reasons: [{ name: reason }], ranking, covering } };
    });
}

/** The later an index was left out, the better it ranks; those left out in the same step rank alike. */
function analyser({ index: winner, steps }: Plan): (index: MangoIndex) => Analysis {
  const { whole, inScope, unfit, usable, wanted, ranked } = steps;
  const compared = ranked.map(({ index }) => index);
  const unfavoured = Math.max(1, ranked.length);
  const excluded = unfavoured + Number(hasOthers(wanted, compared));
  const unusable = excluded + Number(hasOthers(usable, wanted));
  const outOfScope = unusable + Number(hasOthers(inScope, usable));
  const partial = outOfScope + Number(hasOthers(whole, inScope));
  const columns = winner ? columnsOf(winner).length : 0;
  return (index) => {
    if (!whole.includes(index)) return { usable: false, reason: "is_partial", ranking: partial };
    if (!inScope.includes(index)) return { usable: false, reason: "scope_mismatch", ranking: outOfScope };
    const reason = unfit.get(index);
    if (reason) return { usable: false, reason, ranking: unusable };
    if (!wanted.includes(index)) return { usable: true, reason: "excluded_by_user", ranking: excluded };
    const place = compared.indexOf(index);
    const distance = ranked[place]?.distance;
    if (distance === undefined) return { usable: true, reason: "unfavored_type", ranking: unfavoured };
    if (distance > 0) return { usable: true, reason: "less_overlap", ranking: place };
    const isLonger = columnsOf(index).length > columns;
    return { usable: true, reason: isLonger ? "too_many_fields" : "alphabetically_comes_after", ranking: place };
  };
}

function hasOthers(some: readonly MangoIndex[], kept: readonly MangoIndex[]): boolean {
  return some.some((index) => !kept.includes(index));
}
