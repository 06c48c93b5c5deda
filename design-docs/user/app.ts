/** In every user's own database. */
import type { Filters, ValidateDocUpdate, Views } from "../design-doc.js";

/**
 * Every document says what it is, and whose it is cannot change. Deletions always pass: a device must be able to get rid
 * of whatever it holds.
 */
export const validate_doc_update: ValidateDocUpdate = (newDoc, oldDoc, userCtx) => {
  if (newDoc._deleted === true || newDoc._id.startsWith("_design/")) return;
  if (typeof newDoc.type !== "string") throw { forbidden: "A document must have a `type` that is a string." };

  // A deleted document left no owner behind: its id is free again.
  const before = oldDoc !== null && oldDoc._deleted !== true ? oldDoc.owner : undefined;
  if (before !== undefined) {
    if (newDoc.owner !== before) throw { forbidden: "The `owner` of a document cannot be changed." };
    return;
  }
  if (newDoc.owner === undefined || userCtx.roles.includes("_admin")) return;
  if (newDoc.owner !== userCtx.name) throw { forbidden: "A new document's `owner` must be your own user name." };
};

export const views: Views = {
  /** `["note", "2026-01-31T..."]`: all of a type in order of creation, or how many there are of each. */
  "by-type": {
    map(doc) {
      if (typeof doc.type === "string") emit([doc.type, doc.createdAt ?? null], null);
    },
    reduce: "_count",
  },
};

export const filters: Filters = {
  /** `?filter=app/by-type&type=note`. Deletions pass, so that a device that holds only some types hears of them. */
  "by-type": (doc, req) => doc._deleted === true || doc.type === req.query.type,
};
