/** Reading the bytes of attachments: as stored, or as they were before they were compressed. */
import { constants } from "node:buffer";
import { pipeline, type Readable } from "node:stream";
import { promisify } from "node:util";
import { createGunzip, gunzip } from "node:zlib";
import type { Database } from "../database.js";
import type { AttachmentInfo } from "./attachment-info.js";

const gunzipAll = promisify(gunzip);
/** What base64 can still put into one string. A few kilobytes of gzip may claim to be gigabytes: better no answer than no memory. */
const maxOutputLength = Math.floor(constants.MAX_STRING_LENGTH / 4) * 3;

/** All bytes at once: for those that go into JSON. */
export async function readAttachment(database: Database, info: AttachmentInfo, decode: boolean): Promise<Buffer> {
  const stored = database.smallAttachment(info) ?? Buffer.concat(await database.attachment(info).toArray());
  return decode && info.encoding === "gzip" ? await gunzipAll(stored, { maxOutputLength }) : stored;
}

/** A stream of the bytes. A failure of the source ends the result with it. */
export function streamAttachment(database: Database, info: AttachmentInfo, decode: boolean): Readable {
  const stored = database.attachment(info);
  if (!decode || info.encoding !== "gzip") return stored;
  return pipeline(stored, createGunzip(), () => undefined);
}
