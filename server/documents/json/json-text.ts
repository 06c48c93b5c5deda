/**
 * JSON as CouchDB keeps it: bytes in one canonical spelling. Equal documents have equal bytes, so that a revision id can
 * be made from them, and they are sent as they are.
 *
 * Canonical: no whitespace; members in their order, each name once; strings with the fewest escapes (`\u00e9` is `é`,
 * `\/` is `/`, control characters are `\n` or `\u001F`); integers of any size digit by digit; all other numbers as the
 * shortest text of the double, with a point or an exponent (`1e2` is `100.0`).
 */
export { canonicalJson } from "./canonical-json.js";
export { elementTexts, memberText, pickMember } from "./pick-member.js";
export type { ScannedBulk, ScannedDocument, SpecialMembers } from "./scan-document.js";
export { scanBulk, scanDocument } from "./scan-document.js";
export { maxDepth } from "./scanner.js";
