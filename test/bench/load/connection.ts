/**
 * One keep-alive HTTP/1.1 connection that costs the machine as little as possible: client and server share its cores,
 * and every microsecond spent here is taken from the server under test. One request at a time, no pipelining; requests
 * are bytes made ahead of time (`prepare`), and a reply's body is kept as it came, to be looked at outside the timing.
 */
import { connect, type Socket } from "node:net";

/** A whole request, head and body. */
export type PreparedRequest = Buffer;

export class Reply {
  readonly status: number;
  private readonly pieces: readonly Buffer[];

  constructor(status: number, pieces: readonly Buffer[]) {
    this.status = status;
    this.pieces = pieces;
  }

  body(): Buffer {
    return Buffer.concat(this.pieces);
  }

  // biome-ignore lint/suspicious/noExplicitAny: replies of every shape
  json(): any {
    return JSON.parse(this.body().toString("utf8"));
  }
}

interface Waiting {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
}

const headEnd = Buffer.from("\r\n\r\n");
const lineEnd = Buffer.from("\r\n");
const nothing: Buffer = Buffer.alloc(0);

type Phase = "head" | "sized" | "chunk-size" | "chunk" | "chunk-end" | "trailer";

export class Connection {
  private readonly socket: Socket;
  private waiting: Waiting | undefined;
  private phase: Phase = "head";
  /** Bytes that belong to an incomplete head or chunk line. */
  private partial: Buffer = nothing;
  private remaining = 0;
  private status = 0;
  private pieces: Buffer[] = [];

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on("data", (bytes) => this.read(bytes));
    socket.on("error", (error) => this.fail(error));
    socket.on("close", () => this.fail(new Error("the server closed the connection")));
  }

  static open(url: string): Promise<Connection> {
    const { hostname, port } = new URL(url);
    return new Promise((resolve, reject) => {
      const socket = connect({ host: hostname, port: Number(port || 80) });
      socket.once("error", reject);
      socket.once("connect", () => {
        socket.off("error", reject);
        resolve(new Connection(socket));
      });
    });
  }

  /** @throws Error when the connection breaks, or when the reply before this one has not come yet */
  send(request: PreparedRequest): Promise<Reply> {
    if (this.waiting) return Promise.reject(new Error("one request at a time"));
    return new Promise((resolve, reject) => {
      this.waiting = { resolve, reject };
      if (this.socket.destroyed) return this.fail(new Error("the connection is closed"));
      this.socket.write(request);
    });
  }

  get isClosed(): boolean {
    return this.socket.readyState !== "open";
  }

  close(): void {
    this.socket.destroy();
  }

  private fail(error: Error): void {
    const { waiting } = this;
    this.waiting = undefined;
    this.socket.destroy();
    waiting?.reject(error);
  }

  private read(received: Buffer): void {
    let bytes = this.partial.length > 0 ? Buffer.concat([this.partial, received]) : received;
    this.partial = nothing;
    while (bytes.length > 0) {
      const rest = this.step(bytes);
      if (rest === undefined) {
        this.partial = bytes;
        return;
      }
      bytes = rest;
    }
  }

  /** Reads one part of the reply and gives back what follows it, or undefined when the part is not complete yet. */
  private step(bytes: Buffer): Buffer | undefined {
    switch (this.phase) {
      case "head":
        return this.readHead(bytes);
      case "sized":
      case "chunk":
        return this.readData(bytes);
      case "chunk-size":
        return this.readChunkSize(bytes);
      case "chunk-end":
        if (bytes.length < 2) return undefined;
        this.phase = "chunk-size";
        return bytes.subarray(2);
      case "trailer":
        return this.readTrailer(bytes);
    }
  }

  private readHead(bytes: Buffer): Buffer | undefined {
    const end = bytes.indexOf(headEnd);
    if (end < 0) return undefined;
    const head = bytes.toString("latin1", 0, end).toLowerCase();
    this.status = Number.parseInt(head.slice(9, 12), 10);
    this.pieces = [];
    const length = /\r\ncontent-length: *(\d+)/.exec(head);
    if (length) {
      this.remaining = Number(length[1]);
      this.phase = "sized";
      if (this.remaining === 0) this.finish();
    } else if (head.includes("\r\ntransfer-encoding: chunked")) {
      this.phase = "chunk-size";
    } else {
      this.finish();
    }
    return bytes.subarray(end + headEnd.length);
  }

  private readData(bytes: Buffer): Buffer {
    const here = Math.min(this.remaining, bytes.length);
    this.pieces.push(bytes.subarray(0, here));
    this.remaining -= here;
    if (this.remaining === 0) {
      if (this.phase === "sized") this.finish();
      else this.phase = "chunk-end";
    }
    return bytes.subarray(here);
  }

  private readChunkSize(bytes: Buffer): Buffer | undefined {
    const end = bytes.indexOf(lineEnd);
    if (end < 0) return undefined;
    this.remaining = Number.parseInt(bytes.toString("latin1", 0, end), 16);
    this.phase = this.remaining === 0 ? "trailer" : "chunk";
    return bytes.subarray(end + lineEnd.length);
  }

  private readTrailer(bytes: Buffer): Buffer | undefined {
    const end = bytes.indexOf(lineEnd);
    if (end < 0) return undefined;
    if (end === 0) this.finish();
    return bytes.subarray(end + lineEnd.length);
  }

  private finish(): void {
    const { waiting, pieces } = this;
    this.phase = "head";
    this.pieces = [];
    this.waiting = undefined;
    waiting?.resolve(new Reply(this.status, pieces));
  }
}
