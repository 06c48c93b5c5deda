import type { RealmTools, Subject } from "../in-realm/tools.js";
import type { Realms } from "../realms.js";
import {
  type Refusal,
  refusal,
  type ValidateWork,
  type ValidationCall,
  type ValidationOutcome,
} from "../worker-protocol.js";

/** Asks every function in turn; the first refusal is the answer. */
export function validate(realms: Realms, work: ValidateWork, call: ValidationCall): ValidationOutcome {
  const texts = [call.newDoc, call.oldDoc ?? "null", work.userCtx, work.security];
  for (const subject of work.functions) {
    if (subject.source === "") return missingFunction(subject.designDoc);
    const outcome = realms.ask("validate", work, subject, texts);
    if (outcome !== null) return outcome as Refusal;
  }
  return null;
}

function missingFunction(designDoc: string): Refusal {
  return refusal("not_found", `missing validate_doc_update function validate_doc_update on design doc ${designDoc}`);
}

/**
 * `throw {forbidden: reason}` and `throw {unauthorized: reason}` refuse; whatever else is thrown is an error of the
 * function (500), as in CouchDB, and refuses too. What it returns is of no interest.
 */
export function validateInRealm(
  tools: RealmTools,
): (newDoc: string, oldDoc: string, userCtx: string, security: string) => string {
  const { parse, stringify, apply, refuse } = tools;
  const { isArray } = Array;
  const { ownKeys } = Reflect;
  const ErrorType = Error;

  const describe = (thrown: unknown): string => {
    if (thrown instanceof ErrorType) return refuse("unknown_error", tools.textOf(thrown));
    const text = stringify(thrown);
    const plain: unknown = text === undefined ? undefined : parse(text);
    if (typeof plain === "object" && plain !== null && !isArray(plain)) {
      const keys = ownKeys(plain);
      const key = keys[0];
      if (keys.length === 1 && typeof key === "string") {
        const reason = (plain as Record<string, unknown>)[key];
        return refuse(key === "forbidden" || key === "unauthorized" ? key : "unknown_error", reason);
      }
    }
    return refuse("unknown_error", typeof plain === "string" ? plain : `validate_doc_update threw ${text}`);
  };

  return (newDoc, oldDoc, userCtx, security) => {
    try {
      const subject = tools.subjects[0] as Subject;
      // CouchDB compiles functions in place, within the `this` that it gives them.
      const self = tools.self as Record<string, unknown>;
      self["validate_doc_update"] = subject;
      apply(subject, self, [parse(newDoc), parse(oldDoc), parse(userCtx), parse(security)]);
      return tools.answer();
    } catch (thrown) {
      const exhausted = tools.exhausted(thrown);
      if (exhausted !== undefined) return tools.answer(exhausted);
      try {
        return tools.answer(describe(thrown));
      } catch {
        return tools.answer(refuse("unknown_error", "validate_doc_update threw something that cannot be read"));
      }
    }
  };
}
