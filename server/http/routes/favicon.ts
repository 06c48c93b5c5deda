import type { Reply } from "../call.js";

/** `GET /favicon.ico`: there is none, and browsers need not ask again for a year. */
export function favicon(): Reply {
  return {
    status: 404,
    headers: { "Content-Type": "text/plain", "Cache-Control": "public, max-age=31536000" },
    body: "Not found.",
  };
}
