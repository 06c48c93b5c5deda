/** `POST /{db}/_revs_diff` and `_missing_revs`: which revisions that a peer offers are unknown here. */
import { CouchError } from "../../../protocol/errors.js";
import { generationOf, hashOf, parseRevId, type RevId } from "../../../protocol/ids.js";
import { ByteWriter } from "../../documents/bytes.js";
import { quote } from "../../documents/document-text.js";
import type { MissingRevisions } from "../../documents/revisions/missing.js";
import { readJsonObject, requireJson } from "../body.js";
import { type DatabaseCall, jsonText, type Reply } from "../call.js";

/** Documents looked up before other requests get their turn. */
const turnSize = 500;

export async function revsDiff(call: DatabaseCall): Promise<Reply> {
  const out = new ByteWriter(4096).latin1("{");
  await missingRevisions(call, out, ({ missing, possibleAncestors }) => {
    const ancestors =
      possibleAncestors.length > 0 ? `,"possible_ancestors":${revs(possibleAncestors.toReversed())}` : "";
    return `{"missing":${revs(inOrder(missing))}${ancestors}}`;
  });
  return jsonText(out.latin1("}").view());
}

export async function missingRevs(call: DatabaseCall): Promise<Reply> {
  const out = new ByteWriter(4096).latin1('{"missing_revs":{');
  await missingRevisions(call, out, ({ missing }) => revs(inOrder(missing)));
  return jsonText(out.latin1("}}").view());
}

/** Appends a member for each document of which something is missing. @throws CouchError bad_request */
async function missingRevisions(
  call: DatabaseCall,
  out: ByteWriter,
  member: (missing: MissingRevisions) => string,
): Promise<void> {
  requireJson(call);
  const asked = await readJsonObject(call);
  const begin = out.length;
  let looked = 0;
  for (const id in asked) {
    if (++looked % turnSize === 0) await new Promise(setImmediate);
    const missing = call.database.missing(id as never, parseRevs(asked[id]));
    if (missing) out.utf8(`${out.length > begin ? "," : ""}${quote(id)}:${member(missing)}`);
  }
}

function parseRevs(value: unknown): readonly RevId[] {
  if (!Array.isArray(value)) throw new CouchError("bad_request", "Revisions must be a list.");
  return value.map(parseRevId);
}

/** Oldest first, as CouchDB answers. */
function inOrder(missing: readonly RevId[]): readonly RevId[] {
  if (missing.length === 1) return missing;
  return missing.toSorted((a, b) => generationOf(a) - generationOf(b) || (hashOf(a) < hashOf(b) ? -1 : 1));
}

function revs(list: readonly RevId[]): string {
  return `[${list.map(quote).join(",")}]`;
}
