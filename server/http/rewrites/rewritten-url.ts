/** URLs that rewrites lead to, put together. */

/** Relative to the design document that a path names. */
export interface DesignPath {
  /** As the path has it: a name, or `_me`. */
  readonly db: string;
  /** Without `_design/`. */
  readonly ddoc: string;
}

/** A path from the design document on, resolved: `..` goes up, to the root and no further. Segments are escaped already. */
export function rewrittenUrl({ db, ddoc }: DesignPath, segments: readonly string[], query: string): string {
  const path = [encodeURIComponent(db), "_design", encodeURIComponent(ddoc)];
  for (const segment of segments) {
    if (segment === "..") path.pop();
    else if (segment !== "." && segment !== "") path.push(segment);
  }
  return `/${path.join("/")}${query === "" ? "" : `?${query}`}`;
}

/** A segment that is data: whatever stands in it, it leads nowhere else. */
export function dataSegment(text: string): string {
  if (text === "." || text === "..") return text.replaceAll(".", "%2E");
  return encodeURIComponent(text.toWellFormed());
}

export function escapedQuery(pairs: Iterable<readonly [name: string, value: string]>): string {
  return Array.from(
    pairs,
    ([name, value]) => `${encodeURIComponent(name.toWellFormed())}=${encodeURIComponent(value.toWellFormed())}`,
  ).join("&");
}
