/** What stands around the rows of each type of feed. */
import type { FeedType } from "./changes-query.js";

export interface FeedFormat {
  readonly headers: Readonly<Record<string, string>>;
  readonly begin: string;
  readonly firstRow: string;
  /** Before every row but the first. */
  readonly nextRow: string;
  afterRow(seq: string): string;
  readonly heartbeat: Buffer;
  /** Feeds that do not count what is left say nothing of it. */
  end(lastSeq: string, pending?: number): string;
}

const newline = Buffer.from("\n");

const object: FeedFormat = {
  headers: { "Content-Type": "application/json" },
  begin: '{"results":[\n',
  firstRow: "",
  nextRow: ",\n",
  afterRow: () => "",
  heartbeat: newline,
  end: (lastSeq, pending) => `\n],\n"last_seq":"${lastSeq}"${pendingText(pending)}}\n`,
};

const lines: FeedFormat = {
  headers: { "Content-Type": "application/json" },
  begin: "",
  firstRow: "",
  nextRow: "",
  afterRow: () => "\n",
  heartbeat: newline,
  end: (lastSeq, pending) => `{"last_seq":"${lastSeq}"${pendingText(pending)}}\n\n`,
};

const events: FeedFormat = {
  headers: { "Content-Type": "text/event-stream", "Cache-Control": "no-cache" },
  begin: "",
  firstRow: "data: ",
  nextRow: "data: ",
  // In quotes, as CouchDB has it; it comes back so in `Last-Event-ID`.
  afterRow: (seq) => `\nid: "${seq}"\n\n`,
  heartbeat: Buffer.from("event: heartbeat\ndata: \n\n"),
  end: () => "\n",
};

export const feedFormats: Readonly<Record<FeedType, FeedFormat>> = {
  normal: object,
  longpoll: object,
  continuous: lines,
  eventsource: events,
};

function pendingText(pending: number | undefined): string {
  return pending === undefined ? "" : `,"pending":${pending}`;
}
