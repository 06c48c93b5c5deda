/** One large answer, read as it comes: its bytes are counted and forgotten. */
import { connect } from "node:net";
import type { Target } from "./load-client.js";

export interface ReadOptions {
  /** A reader as slow as this; default: as fast as it comes. */
  readonly bytesPerSecond?: number;
  /** Goes away after so many bytes, head included; default: reads to the end. */
  readonly upTo?: number;
}

export interface WholeAnswer {
  readonly bytes: number;
  /** Milliseconds from the request to the first byte of the body. */
  readonly firstByte: number;
  readonly seconds: number;
}

const headEnd = Buffer.from("\r\n\r\n");
const lastChunk = "0\r\n\r\n";

/** @throws Error when the answer is not 200, or is not complete */
export function readAnswer(target: Target, path: string, options: ReadOptions = {}): Promise<WholeAnswer> {
  const { bytesPerSecond, upTo = Number.POSITIVE_INFINITY } = options;
  const { hostname, port, host } = new URL(target.url);
  const authorization = target.authorization ? `Authorization: ${target.authorization}\r\n` : "";
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port || 80) });
    const began = performance.now();
    let bytes = 0;
    let head = "";
    let firstByte: number | undefined;
    let tail = "";
    const finish = (): void => {
      socket.destroy();
      resolve({ bytes, firstByte: firstByte as number, seconds: (performance.now() - began) / 1000 });
    };
    socket.on("data", (received) => {
      bytes += received.length;
      if (firstByte === undefined) {
        head += received.toString("latin1");
        const end = head.indexOf(headEnd.toString("latin1"));
        if (end >= 0 && head.length > end + headEnd.length) firstByte = performance.now() - began;
      }
      tail = (tail + received.toString("latin1", Math.max(0, received.length - lastChunk.length))).slice(-5);
      if (bytes >= upTo) return finish();
      if (bytesPerSecond === undefined) return;
      socket.pause();
      const due = began + (bytes / bytesPerSecond) * 1000;
      setTimeout(() => socket.resume(), Math.max(0, due - performance.now()));
    });
    socket.on("end", () => {
      if (head.startsWith("HTTP/1.1 200 ") && tail === lastChunk) finish();
      else reject(new Error(`${path} broke off after ${bytes} bytes: ${head.slice(0, 60)}`));
    });
    socket.on("error", reject);
    socket.write(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\n${authorization}Connection: close\r\n\r\n`);
  });
}
