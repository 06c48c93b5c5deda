/** Finds the row of the route table that answers a path: for the listener, and again for what a rewrite made of a request. */
import findMyWay from "find-my-way";
import type { PathRoutes } from "./route.js";

/** How paths are read. One object for both: what is one row to the listener is the same row to a rewrite. */
export const pathRules = { ignoreTrailingSlash: true, ignoreDuplicateSlashes: true } as const;

export interface FoundRoutes {
  readonly routes: PathRoutes;
  /** Parts of the path, decoded. */
  readonly params: Readonly<Record<string, string>>;
}

/** Undefined for a path that no row answers, and for one whose percent-encoding is no UTF-8. A query behind it is passed over. */
export type FindRoutes = (url: string) => FoundRoutes | undefined;

export function createPathRouter(
  table: readonly PathRoutes[],
  maxUriLength: number,
  readPath: (url: string) => string,
): FindRoutes {
  const router = findMyWay({ ...pathRules, maxParamLength: maxUriLength });
  // Which methods a row has is for the row to say.
  for (const routes of table) router.on("GET", routes.path, () => undefined, routes);
  return (url) => {
    const found = router.find("GET", readPath(url));
    if (!found?.store) return undefined;
    return { routes: found.store as PathRoutes, params: found.params as Readonly<Record<string, string>> };
  };
}

/** Every plus sign of the path, not of the query, as a space. */
export function plusIsSpace(url: string): string {
  const plus = url.indexOf("+");
  if (plus < 0) return url;
  const question = url.indexOf("?");
  if (question >= 0 && plus > question) return url;
  const path = question < 0 ? url : url.slice(0, question);
  return path.replaceAll("+", "%20") + (question < 0 ? "" : url.slice(question));
}
