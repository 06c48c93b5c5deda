/** One continuous changes feed, kept open and timed. */
import { connect, type Socket } from "node:net";
import type { Target } from "./load-client.js";

/** Milliseconds: some peers say nothing at all before the first. */
const shortHeartbeat = 1000;

export class Feed {
  private readonly socket: Socket;
  private readonly rowArrived: Promise<number>;

  private constructor(socket: Socket, rowArrived: Promise<number>) {
    this.socket = socket;
    this.rowArrived = rowArrived;
  }

  /**
   * Opens the feed of `database` to wait for document `id`. Resolves when the server has answered, be it with a
   * heartbeat (one every `heartbeat` milliseconds): from then on it is listening.
   */
  static open(target: Target, database: string, id: string, heartbeat = shortHeartbeat): Promise<Feed> {
    const row = Buffer.from(`"id":"${id}"`);
    const { hostname, port, host } = new URL(target.url);
    const authorization = target.authorization ? `Authorization: ${target.authorization}\r\n` : "";
    return new Promise((resolve, reject) => {
      const socket = connect({ host: hostname, port: Number(port || 80) });
      let answered = false;
      const rowArrived = new Promise<number>((seen, failed) => {
        socket.on("data", (bytes) => {
          if (bytes.includes(row)) seen(performance.now());
          if (answered) return;
          answered = true;
          const status = bytes.toString("latin1", 0, Math.max(0, bytes.indexOf("\r\n")));
          if (status.includes(" 200 ")) resolve(feed);
          else failed(new Error(`the feed of ${database} was answered ${status}`));
        });
        socket.on("error", failed);
        socket.on("close", () => failed(new Error(`the feed of ${database} was closed`)));
      });
      rowArrived.catch(reject);
      const feed = new Feed(socket, rowArrived);
      socket.setNoDelay(true);
      // From 0 and not from "now": a peer that looks "now" up late would miss the write.
      const query = `feed=continuous&since=0&heartbeat=${heartbeat}`;
      socket.write(`GET ${database}/_changes?${query} HTTP/1.1\r\nHost: ${host}\r\n${authorization}\r\n`);
    });
  }

  /** When the document's row came, as `performance.now()` counts. */
  row(): Promise<number> {
    return this.rowArrived;
  }

  close(): void {
    this.socket.destroy();
  }
}
