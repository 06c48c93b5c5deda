import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { Readable } from "node:stream";
import { describe, test } from "node:test";
import { readBody } from "../../server/http/body.js";
import { type Handler, json } from "../../server/http/call.js";
import type { PathRoutes } from "../../server/http/route.js";
import { type Frame, startFrame } from "../helpers/frame-world.js";
import { HttpClient } from "../helpers/http-client.js";
import { waitFor, within } from "../helpers/wait-for.js";

/** Routes that the test holds open, and what has happened to them. */
function world() {
  const seen = { started: 0, aborted: 0, ended: 0 };
  let release: () => void = () => undefined;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  async function* feed(stopping: AbortSignal, gone: AbortSignal): AsyncGenerator<Buffer> {
    seen.started++;
    try {
      yield Buffer.from("first\n");
      await new Promise<void>((resolve) => {
        for (const signal of [stopping, gone]) {
          if (signal.aborted) resolve();
          else signal.addEventListener("abort", () => resolve());
        }
      });
      yield Buffer.from("last\n");
    } finally {
      if (gone.aborted) seen.aborted++;
      seen.ended++;
    }
  }
  const get = (path: string, handler: Handler): PathRoutes => ({
    path,
    allow: "GET,HEAD",
    methods: { GET: { need: "public", handler } },
  });
  const routes: readonly PathRoutes[] = [
    get("/_up", () => json({ ok: true })),
    get("/_slow", async () => {
      seen.started++;
      await released;
      return json({ slow: true });
    }),
    get("/_feed", ({ services, signal }) => ({ status: 200, body: feed(services.stopping, signal) })),
    get("/_breaks", () => ({
      status: 200,
      body: Readable.from(
        (async function* () {
          yield Buffer.from("a part\n");
          throw new Error("the disk is gone");
        })(),
      ),
    })),
    {
      path: "/_refuses",
      allow: "PUT",
      methods: { PUT: { need: "server-admin", handler: () => json({}) } },
    },
    {
      path: "/_body",
      allow: "POST",
      methods: {
        POST: { need: "public", handler: async (call) => json({ length: (await readBody(call, 1000)).length }) },
      },
    },
  ];
  return { seen, release, routes };
}

/** A socket that has sent these characters. */
async function sending(t: { after(fn: () => void): void }, { port }: Frame, text: string): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  t.after(() => socket.destroy());
  socket.on("error", () => undefined);
  await new Promise((resolve) => socket.once("connect", resolve));
  socket.write(text);
  return socket;
}

describe("a server that stops", () => {
  test("finishes what is under way and takes nothing new", async (t) => {
    const { seen, release, routes } = world();
    const { client, server, url } = await startFrame(t, { routes });
    const slow = client.get("/_slow");
    await waitFor("the request to arrive", () => seen.started === 1);
    const closed = server.close();
    const late = new HttpClient(url);
    t.after(() => late.close());
    await waitFor("the door to be shut", () =>
      late.get("/_up").then(
        () => false,
        () => true,
      ),
    );
    release();
    assert.deepEqual((await within("the slow answer", slow)).json(), { slow: true });
    await within("the server to close", closed);
  });

  test("closes connections that are kept for later", async (t) => {
    const { routes } = world();
    const { client, server } = await startFrame(t, { routes });
    await client.expect(200, "GET", "/_up");
    await within("the server to close", server.close());
  });

  test("ends feeds after their last words", async (t) => {
    const { seen, routes } = world();
    const { client, server, stopping } = await startFrame(t, { routes });
    const feed = client.get("/_feed");
    await waitFor("the feed to begin", () => seen.started === 1);
    stopping.abort();
    await within("the server to close", server.close());
    assert.equal((await feed).text, "first\nlast\n");
  });

  test("cuts what has not ended by the end of the grace", async (t) => {
    const { routes } = world();
    const frame = await startFrame(t, { routes, grace: 50 });
    const socket = await sending(t, frame, "POST /_body HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf");
    // Answered after it, so that the half one has arrived.
    await frame.client.expect(200, "GET", "/_up");
    const cut = new Promise((resolve) => socket.once("close", resolve));
    await within("the server to close", frame.server.close());
    await within("the client to be told", cut);
  });
});

describe("a client that leaves", () => {
  test("ends its feed", async (t) => {
    const { seen, routes } = world();
    const frame = await startFrame(t, { routes });
    const socket = await sending(t, frame, "GET /_feed HTTP/1.1\r\nHost: x\r\n\r\n");
    await waitFor("the feed to begin", () => seen.started === 1);
    assert.equal(seen.ended, 0);
    socket.destroy();
    await waitFor("the feed to end", () => seen.ended === 1);
    assert.equal(seen.aborted, 1);
  });

  test("in the middle of its body does no harm", async (t) => {
    const { routes } = world();
    const frame = await startFrame(t, { routes });
    const socket = await sending(t, frame, "POST /_body HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf");
    await frame.client.expect(200, "GET", "/_up");
    socket.destroy();
    await frame.client.expect(200, "GET", "/_up");
    assert.deepEqual(
      frame.log.filter((line) => line["level"] === "error"),
      [],
    );
  });
});

describe("a client that is refused while it sends", () => {
  const megabyte = 2 ** 20;

  test("has its answer, and may send what it was about to send", async (t) => {
    const { routes } = world();
    const frame = await startFrame(t, { routes });
    const length = 20 * megabyte;
    const head = `PUT /_refuses HTTP/1.1\r\nHost: x\r\nContent-Length: ${length}\r\n\r\n`;
    const socket = await sending(t, frame, head);
    let answer = "";
    socket.on("data", (piece) => {
      answer += piece;
    });
    const errors: Error[] = [];
    socket.on("error", (error) => errors.push(error));
    const ended = new Promise((resolve) => socket.once("close", resolve));
    await waitFor("the answer", () => answer.endsWith("}\n"));
    assert.match(answer, /^HTTP\/1.1 401 .*"unauthorized".*\n$/s);
    let left = length;
    for (; left > 0 && !socket.destroyed; left -= megabyte) {
      if (!socket.write(Buffer.alloc(megabyte)))
        await Promise.race([ended, new Promise((resolve) => socket.once("drain", resolve))]);
    }
    await within("the server to close", ended);
    assert.deepEqual([left, errors], [0, []]);
  });

  test("is cut when it does not stop for the answer, and when it does nothing more", async (t) => {
    const { routes } = world();
    const frame = await startFrame(t, { routes });
    for (const size of [100 * megabyte, 1000]) {
      const head = `PUT /_refuses HTTP/1.1\r\nHost: x\r\nContent-Length: ${200 * megabyte}\r\n\r\n`;
      const socket = await sending(t, frame, head);
      const closed = new Promise((resolve) => socket.once("close", resolve));
      let answer = "";
      socket.on("data", (piece) => {
        answer += piece;
      });
      socket.write(Buffer.alloc(size));
      await within("the server to close", closed);
      assert.match(answer, /^HTTP\/1.1 401 .*"unauthorized".*\n$/s);
    }
  });
});

test("an answer that breaks off looks broken", async (t) => {
  const { routes } = world();
  const frame = await startFrame(t, { routes });
  await assert.rejects(within("the answer", frame.client.get("/_breaks")));
  await waitFor("a line in the log", () => frame.log.some((line) => JSON.stringify(line).includes("the disk is gone")));
  await frame.client.expect(200, "GET", "/_up");
});
