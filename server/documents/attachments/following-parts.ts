/** Which part of a multipart body belongs to which attachment of the document in front of it. */
import { CouchError } from "../../../protocol/errors.js";
import type { FollowingSource, NamedAttachment, ParsedDocument } from "../parse-document.js";
import type { MultipartPart } from "./multipart-reader.js";

/** An attachment whose bytes come in a part behind the document. */
export interface Follower extends NamedAttachment {
  readonly source: FollowingSource;
}

/** In the order in which their parts come, unless a part names its file. */
export function followersOf({ attachments }: ParsedDocument): Follower[] {
  return attachments.filter((attachment): attachment is Follower => attachment.source.kind === "follows");
}

/** Removes from `waiting` the attachment that a part holds. @throws CouchError bad_request when nothing waits for it */
export function takeNext(waiting: Follower[], { headers }: MultipartPart): Follower {
  const { filename } = readParameters(headers["content-disposition"]);
  const named = filename === undefined ? -1 : waiting.findIndex(({ name }) => name === filename);
  const [attachment] = waiting.splice(Math.max(named, 0), 1);
  if (!attachment) throw new CouchError("bad_request", "There are more parts than the document has attachments.");
  return attachment;
}

/** The parameters of a `Content-Disposition`, names in lower case; a quote in a value is `%22`, as browsers and CouchDB write it. */
export function readParameters(disposition: string | undefined): Readonly<Record<string, string | undefined>> {
  const parameters: Record<string, string> = Object.create(null);
  for (const [, name, quoted, bare] of (disposition ?? "").matchAll(/;\s*([\w-]+)=(?:"([^"]*)"|([^;\s]+))/g)) {
    parameters[(name as string).toLowerCase()] ??= (quoted ?? bare ?? "").replaceAll("%22", '"');
  }
  return parameters;
}
