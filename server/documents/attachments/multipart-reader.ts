/**
 * Reads multipart/related and multipart/mixed bodies as they arrive: one part at a time, a part's body as a stream, no
 * more in memory than a chunk. Pulled by its reader rather than pushed by the socket, so there is no queue of parts; that
 * is why it is our own and not a parser with events.
 */
import { Readable } from "node:stream";
import { CouchError } from "../../../protocol/errors.js";

export interface MultipartPart {
  /** Names in lower case, no prototype. */
  readonly headers: Readonly<Record<string, string>>;
  /** To be read before the next part is asked for: what is left of it then is thrown away. */
  readonly body: Readable;
}

/** As RFC 2046 has it; also what bounds the search window. */
const boundaryText = /^[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]$/;
/** Of one part's headers together. CouchDB writes four short ones; file names may be long. */
const maxHeaderBytes = 32 * 1024;

const lineEnd = Buffer.from("\r\n");
const blankLine = Buffer.from("\r\n\r\n");
const dash = 0x2d;

/** The boundary that a Content-Type names, quoted or not; undefined when it names none that can be used. */
export function multipartBoundary(contentType: string): string | undefined {
  const match = /;\s*boundary=(?:"((?:[^"\\]|\\.)*)"|([^;"\s]+))/i.exec(contentType);
  const boundary = match?.[1]?.replace(/\\(.)/g, "$1") ?? match?.[2];
  return boundary !== undefined && boundaryText.test(boundary) ? boundary : undefined;
}

/**
 * The parts of `stream`, which is left open where reading stops: at the closing boundary, or wherever the caller does.
 * The errors are thrown by the iteration and by the body that was being read.
 * @throws CouchError bad_request when the text is malformed or ends too early
 */
export async function* readMultipart(stream: Readable, boundary: string): AsyncGenerator<MultipartPart, void, void> {
  const window = new SearchWindow(stream, boundary);
  // What stands before the first boundary is for people with mail programs of 1992.
  await drain(window.untilDelimiter());
  while (await window.nextPart()) {
    const headers = await window.headers();
    const chunks = window.untilDelimiter();
    const body = Readable.from(chunks, { objectMode: false });
    // The iteration throws the same error; a body that nobody reads must not stop the process with it.
    body.on("error", () => undefined);
    try {
      yield { headers, body };
      await drain(chunks);
      // A body that was destroyed has ended its own reading: the rest of the part is still to come.
      await drain(window.untilDelimiter());
    } finally {
      body.destroy();
    }
  }
}

async function drain(chunks: AsyncGenerator<Buffer, void, void>): Promise<void> {
  while (!(await chunks.next()).done);
}

/** The bytes of the stream that have arrived and are not consumed yet, and the search for the delimiter in them. */
class SearchWindow {
  private readonly source: AsyncIterator<Buffer | string>;
  private readonly delimiter: Buffer;
  /** Begins with a line end, so that a boundary on the very first line is one like the others. */
  private bytes: Buffer = lineEnd;
  private inContent = true;
  private failure: unknown;

  constructor(stream: Readable, boundary: string) {
    // The request must outlive us: its reply goes through the same socket.
    this.source = stream.iterator({ destroyOnReturn: false })[Symbol.asyncIterator]();
    this.delimiter = Buffer.from(`\r\n--${boundary}`);
  }

  /** The content up to the next delimiter, which is consumed with it. Ends at once when that has happened already. */
  async *untilDelimiter(): AsyncGenerator<Buffer, void, void> {
    while (this.inContent) {
      const found = this.bytes.indexOf(this.delimiter);
      // Without it all but its own length less one is certainly content.
      const sure = found >= 0 ? found : this.bytes.length - this.delimiter.length + 1;
      const content = this.bytes.subarray(0, Math.max(sure, 0));
      if (found >= 0) {
        this.inContent = false;
        this.bytes = this.bytes.subarray(found + this.delimiter.length);
      } else {
        this.bytes = this.bytes.subarray(content.length);
      }
      if (content.length > 0) yield content;
      if (this.inContent) await this.fill();
    }
    if (this.failure !== undefined) throw this.failure;
  }

  /** Reads the end of the delimiter's line. False when it closes the multipart. */
  async nextPart(): Promise<boolean> {
    while (this.bytes.length < 2) await this.fill();
    if (this.bytes[0] === dash && this.bytes[1] === dash) return false;
    let end = this.bytes.indexOf(lineEnd);
    while (end < 0 && this.bytes.length < this.delimiter.length) {
      await this.fill();
      end = this.bytes.indexOf(lineEnd);
    }
    if (end < 0 || /[^ \t]/.test(this.bytes.toString("latin1", 0, end))) {
      throw malformed("A multipart boundary is followed by something else than the end of its line");
    }
    // The line end stays: with no headers at all it is the first half of the blank line.
    this.bytes = this.bytes.subarray(end);
    return true;
  }

  async headers(): Promise<Readonly<Record<string, string>>> {
    let end = this.bytes.indexOf(blankLine);
    while (end < 0 && this.bytes.length <= maxHeaderBytes) {
      await this.fill();
      end = this.bytes.indexOf(blankLine);
    }
    if (end < 0 || end > maxHeaderBytes) throw malformed("The headers of a multipart part are too long");
    const text = this.bytes.toString("utf8", lineEnd.length, end);
    this.bytes = this.bytes.subarray(end + blankLine.length);
    this.inContent = true;
    return parseHeaders(text);
  }

  /** Adds the stream's next chunk. @throws CouchError bad_request at the end of the stream */
  private async fill(): Promise<void> {
    try {
      const next = await this.source.next();
      if (next.done) throw malformed("The multipart body ended too early");
      const chunk = typeof next.value === "string" ? Buffer.from(next.value) : next.value;
      this.bytes = this.bytes.length === 0 ? chunk : Buffer.concat([this.bytes, chunk]);
    } catch (error) {
      // Kept for whoever reads on: the body that failed is not the only one to ask.
      this.failure = error instanceof CouchError ? error : malformed("The multipart body could not be read", error);
      this.inContent = false;
      throw this.failure;
    }
  }
}

function parseHeaders(text: string): Readonly<Record<string, string>> {
  const headers: Record<string, string> = Object.create(null);
  // A line that begins with a space goes on with the one before.
  for (const line of text.replace(/\r\n[ \t]+/g, " ").split("\r\n")) {
    if (line === "") continue;
    const colon = line.indexOf(":");
    if (colon < 1) throw malformed("A multipart part has a header line without a name");
    headers[line.slice(0, colon).trim().toLowerCase()] = line.slice(colon + 1).trim();
  }
  return headers;
}

function malformed(reason: string, cause?: unknown): CouchError {
  return new CouchError("bad_request", reason, { cause });
}
