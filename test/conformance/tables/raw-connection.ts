/**
 * One TCP connection, spoken to byte by byte: nothing is tidied up on the way out, nothing is retried, and it can be seen whether
 * the server goes on with a connection or ends it.
 */
import { connect, type Socket } from "node:net";
import { waitFor, within } from "../../helpers/wait-for.js";

export interface RawAnswer {
  readonly status: number;
  /** Names in lower case; no prototype. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

const blankLine = "\r\n\r\n";

export class RawConnection {
  /** The server has ended its half, or the connection broke. */
  ended = false;
  readonly #socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  /** Called when something came, or nothing more will. */
  #moved = (): void => undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#moved();
    });
    // A server that refuses a body may stop reading it: that it did is told by its answer.
    socket.on("error", () => undefined);
    for (const event of ["end", "close"]) {
      socket.on(event, () => {
        this.ended = true;
        this.#moved();
      });
    }
  }

  static open(url: string): Promise<RawConnection> {
    const { hostname, port } = new URL(url);
    return new Promise((resolve, reject) => {
      const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true, noDelay: true });
      socket.once("error", reject);
      socket.once("connect", () => {
        socket.off("error", reject);
        resolve(new RawConnection(socket));
      });
    });
  }

  send(...chunks: readonly (string | Buffer)[]): void {
    for (const chunk of chunks) if (!this.ended) this.#socket.write(chunk);
  }

  /** Ends our half: nothing more will be sent, answers are still read. */
  hangUp(): void {
    this.#socket.end();
  }

  close(): void {
    this.#socket.destroy();
  }

  /** All that has come and was not taken as an answer. */
  get received(): string {
    return this.#received.toString("latin1");
  }

  /** The next final answer; undefined when the connection ended without one. `method`: what was asked, for HEAD has no body. */
  async answer(method: string): Promise<RawAnswer | undefined> {
    for (;;) {
      const end = await this.#until("an answer", () => this.#received.indexOf(blankLine));
      if (end === undefined) return undefined;
      const head = this.#received.toString("latin1", 0, end);
      this.#received = this.#received.subarray(end + blankLine.length);
      const [statusLine = "", ...lines] = head.split("\r\n");
      const status = Number(statusLine.split(" ")[1]);
      // 100 Continue is no answer yet.
      if (status < 200) continue;
      const headers: Record<string, string> = Object.create(null);
      for (const line of lines) {
        const colon = line.indexOf(":");
        headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
      }
      return { status, headers, body: await this.#body(method, status, headers) };
    }
  }

  async #body(method: string, status: number, headers: Readonly<Record<string, string>>): Promise<Buffer> {
    if (method === "HEAD" || status === 204 || status === 304) return Buffer.alloc(0);
    if (headers["transfer-encoding"] === "chunked") return await this.#chunks();
    const length = headers["content-length"];
    if (length !== undefined) return await this.#take(Number(length));
    await waitFor("the end of an answer without a length", () => this.ended);
    return await this.#take(this.#received.length);
  }

  async #chunks(): Promise<Buffer> {
    const chunks: Buffer[] = [];
    for (;;) {
      const end = await this.#until("a chunk", () => this.#received.indexOf("\r\n"));
      if (end === undefined) throw new Error("a chunked answer broke off");
      const length = Number.parseInt(this.#received.toString("latin1", 0, end), 16);
      await this.#take(end + 2);
      chunks.push(await this.#take(length));
      await this.#take(2);
      if (length === 0) return Buffer.concat(chunks);
    }
  }

  async #take(length: number): Promise<Buffer> {
    const there = await this.#until("the rest of an answer", () => (this.#received.length >= length ? length : -1));
    if (there === undefined) throw new Error(`an answer broke off: ${this.#received.length} of ${length} bytes`);
    const taken = this.#received.subarray(0, length);
    this.#received = this.#received.subarray(length);
    return taken;
  }

  /** What `find` finds when it is no longer negative; undefined when the connection ended before. */
  async #until(what: string, find: () => number): Promise<number | undefined> {
    for (;;) {
      const hasEnded = this.ended;
      const at = find();
      if (at >= 0) return at;
      if (hasEnded) return undefined;
      const moved = new Promise<void>((resolve) => {
        this.#moved = resolve;
      });
      await within(what, moved);
    }
  }
}
