/** The `Accept-Encoding` header, as far as stored attachments need it: they are plain or compressed by gzip. */
import { CouchError } from "../../protocol/errors.js";

export interface AcceptedEncodings {
  readonly gzip: boolean;
  readonly identity: boolean;
}

const item = /^([^\s;]+)(?:\s*;\s*q=([01](?:\.\d{0,3})?))?$/i;

/** @throws CouchError bad_request when it cannot be understood, not_acceptable when it refuses both */
export function acceptedEncodings(header: string | undefined): AcceptedEncodings {
  if (header === undefined || header.trim() === "") return { gzip: false, identity: true };
  const weights = new Map<string, number>();
  for (const text of header.split(",")) {
    const match = item.exec(text.trim());
    if (!match) throw new CouchError("bad_request", "The Accept-Encoding header could not be understood.");
    weights.set((match[1] as string).toLowerCase(), Number(match[2] ?? 1));
  }
  const others = weights.get("*");
  const gzip = (weights.get("gzip") ?? others ?? 0) > 0;
  // Plain is acceptable unless it is refused.
  const identity = (weights.get("identity") ?? others ?? 1) > 0;
  if (!gzip && !identity) throw new CouchError("not_acceptable", "Attachments are sent plain or compressed by gzip.");
  return { gzip, identity };
}
