/** URLs of things, as `Location` tells them. Escaped as CouchDB escapes: everything but letters, digits and `-_.~:`. */
import type { Call } from "./call.js";

export function escapeSegment(text: string): string {
  return encodeURIComponent(text)
    .replaceAll("%3A", ":")
    .replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

export function locationOf(call: Call, ...segments: readonly string[]): string {
  return `${call.origin}/${segments.map(escapeSegment).join("/")}`;
}
