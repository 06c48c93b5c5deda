/** Samples of `validate_doc_update`. */
import type { SecurityObject } from "../../../protocol/security.js";
import { type Outcome, shown, wrong } from "./outcome.js";
import type { WriteSample } from "./samples.js";
import { databaseOf, functionOf, type Subject, securityOf, stored, userContextOf } from "./subject.js";

export async function tryWrites(subject: Subject, samples: readonly WriteSample[]): Promise<readonly Outcome[]> {
  const validate = functionOf(subject, "validate_doc_update");
  const outcomes: Outcome[] = [];
  for (const sample of samples) {
    const { doc, oldDoc, expect, user, title = shown(doc) } = sample;
    const { _id = "sample-1" } = oldDoc ?? doc;
    const old = oldDoc && stored({ _id, ...oldDoc });
    const [outcome = null] = await subject.sandbox.validate({
      database: databaseOf(user),
      functions: validate ? [validate] : [],
      userCtx: userContextOf(sample),
      security: securityOf(sample) as SecurityObject,
      calls: [
        {
          newDoc: JSON.stringify({ _id, ...(old && { _rev: old["_rev"] }), ...doc }),
          oldDoc: old && JSON.stringify(old),
        },
      ],
    });
    const actual = outcome ? `${outcome.error}: ${shown(outcome.reason)}` : "accepted";
    if (expect === undefined) outcomes.push({ title, status: "shown", details: [actual] });
    else if (expect === actual || expect === outcome?.error) outcomes.push({ title, status: "right", details: [] });
    else outcomes.push(wrong(title, expect, actual));
  }
  return outcomes;
}
