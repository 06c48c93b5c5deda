/** What a revision knows of one attachment. The bytes lie elsewhere, found by digest within the database. */
export interface AttachmentInfo {
  readonly name: string;
  readonly contentType: string;
  /** Generation of the revision that brought these bytes. */
  readonly revpos: number;
  /** `md5-` and base64 of the MD5 of the bytes as they are stored. */
  readonly digest: string;
  /** Bytes as a reader gets them. */
  readonly length: number;
  /** How the stored bytes are encoded, when the server compressed them or a client sent them so. */
  readonly encoding?: "gzip";
  /** Bytes as stored; equals `length` without an encoding. */
  readonly storedLength: number;
}

/** The form beside a body: short, since it is read with every document that has attachments. */
export function encodeAttachments(attachments: readonly AttachmentInfo[]): string {
  if (attachments.length === 0) return "";
  return JSON.stringify(
    attachments.map((a) => [a.name, a.contentType, a.revpos, a.digest, a.length, a.storedLength, a.encoding ?? 0]),
  );
}

type Row = [string, string, number, string, number, number, "gzip" | 0];

export function decodeAttachments(text: string): readonly AttachmentInfo[] {
  if (text === "") return [];
  return (JSON.parse(text) as Row[]).map(([name, contentType, revpos, digest, length, storedLength, encoding]) => ({
    name,
    contentType,
    revpos,
    digest,
    length,
    storedLength,
    ...(encoding === 0 ? {} : { encoding }),
  }));
}
