/** Which answers are multipart, by the request's `Accept`, read as CouchDB reads it. */

/** As `related` a document with the bytes of its attachments, as `mixed` several revisions. No `Accept` at all accepts both. */
export function wantsMultipart(accept: string | undefined, subtype: "related" | "mixed"): boolean {
  return accepts(accept, "multipart", subtype);
}

/** `_bulk_get` is JSON for everybody who understands JSON. */
export function bulkGetType(accept: string | undefined): "json" | "mixed" | "related" {
  if (accepts(accept, "application", "json")) return "json";
  if (wantsMultipart(accept, "mixed")) return "mixed";
  return wantsMultipart(accept, "related") ? "related" : "json";
}

/** A refusal (`q=0`) of the type or of its whole family counts for more than `*` `/*`. */
function accepts(header: string | undefined, type: string, subtype: string): boolean {
  const names = [`${type}/${subtype}`, `${type}/*`];
  const ranges = (header ?? "*/*").split(",").map(mediaRange);
  if (ranges.some(({ name, quality }) => quality === 0 && names.includes(name))) return false;
  return ranges.some(({ name, quality }) => quality > 0 && (name === "*/*" || names.includes(name)));
}

/** A range with further parameters (`level=1`) names none of the types asked for here. */
function mediaRange(text: string): { readonly name: string; readonly quality: number } {
  const [name = "", ...given] = text.split(";").map((part) => part.trim().toLowerCase());
  const parameters = given.filter((parameter) => parameter !== "");
  const weight = parameters.at(-1)?.startsWith("q=") ? parameters.pop()?.slice(2) : "1";
  return { name: [name, ...parameters].join(";"), quality: Number(weight) };
}
