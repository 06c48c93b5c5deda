/** The `Range` header, read as CouchDB reads it. */
import { CouchError } from "../../protocol/errors.js";
import type { ByteRange } from "../documents/attachments/blob-store.js";

/** From here on the whole is sent: many small ranges cost more than they save. */
const tooMany = 10;
const syntax = /^bytes=((?: *\d+-\d*| *-\d+) *(?:, *(?:\d+-\d*|-\d+) *)*)$/;

/**
 * The ranges asked for, in the order of asking; undefined when the whole is to be sent, because nothing else was asked for, or
 * nothing that can be understood.
 * @throws CouchError requested_range_not_satisfiable when one of them lies outside
 */
export function parseRange(header: string | undefined, length: number): readonly ByteRange[] | undefined {
  const list = syntax.exec(header ?? "")?.[1];
  if (list === undefined) return undefined;
  const asked = list.split(",").map((text) => text.trim());
  if (asked.includes("0-") || asked.length >= tooMany) return undefined;
  return asked.map((text) => {
    const [first = "", last = ""] = text.split("-");
    // `-5`: the last five.
    const start = first === "" ? Math.max(length - Number(last), 0) : Number(first);
    const end = first === "" || last === "" ? length - 1 : Math.min(Number(last), length - 1);
    if (start > end) throw new CouchError("requested_range_not_satisfiable");
    return { start, end };
  });
}

/** A `Content-Range`. */
export function contentRange({ start, end }: ByteRange, length: number): string {
  return `bytes ${start}-${end}/${length}`;
}
