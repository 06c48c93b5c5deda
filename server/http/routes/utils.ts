import type { Call, Reply } from "../call.js";

/** Of pages and of what is missing among them alike. Stricter than CouchDB's: no `unsafe-eval`, no inline scripts. */
const contentSecurityPolicy =
  "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; child-src 'self' blob:; " +
  "frame-ancestors 'self'; base-uri 'self'; form-action 'self'";

/** `GET /_utils` is a folder and says so; there are no pages in it. */
export function utils({ origin, url }: Call): Reply {
  const [path] = url.split("?", 1);
  if (path === "/_utils") return { status: 301, headers: { Location: `${origin}/_utils/` } };
  return {
    status: 404,
    headers: {
      "Content-Type": "text/plain",
      "Cache-Control": "private, must-revalidate",
      "Content-Security-Policy": contentSecurityPolicy,
    },
    body: "Not found.",
  };
}
