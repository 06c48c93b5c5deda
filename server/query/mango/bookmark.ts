/** Where an answer ended, so that the next one goes on behind it: the last document, and its key in the index. */
import { CouchError } from "../../../protocol/errors.js";
import { canonicalJson } from "../../documents/json/json-text.js";

export interface Bookmark {
  readonly id: string;
  /** Canonical JSON text; undefined for all documents by id. */
  readonly key: string | undefined;
}

export function formatBookmark({ id, key }: Bookmark): string {
  return Buffer.from(JSON.stringify(key === undefined ? [id] : [id, key])).toString("base64url");
}

/** @throws CouchError invalid_bookmark */
export function parseBookmark(text: string): Bookmark {
  try {
    const parts: unknown = JSON.parse(Buffer.from(text, "base64url").toString());
    const [id, key, ...more]: readonly unknown[] = Array.isArray(parts) ? parts : [];
    if (typeof id === "string" && more.length === 0) {
      if (key === undefined) return { id, key };
      // It comes from a client: what is no key must not be searched for.
      if (typeof key === "string") return { id, key: canonicalJson(Buffer.from(key)).toString() };
    }
  } catch (error) {
    throw new CouchError("invalid_bookmark", `Invalid bookmark value: ${JSON.stringify(text)}`, { cause: error });
  }
  throw new CouchError("invalid_bookmark", `Invalid bookmark value: ${JSON.stringify(text)}`);
}
