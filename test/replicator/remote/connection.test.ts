import assert from "node:assert/strict";
import type { LookupAddress } from "node:dns";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { describe, type TestContext, test } from "node:test";
import { CouchError } from "../../../protocol/errors.js";
import { parseEndpoint, type UrlEndpoint } from "../../../server/replicator/endpoint.js";
import { PeerUnavailable } from "../../../server/replicator/failures.js";
import { addressRules } from "../../../server/replicator/remote/address-rules.js";
import { Connection } from "../../../server/replicator/remote/connection.js";
import { type Lookup, Outgoing } from "../../../server/replicator/remote/outgoing.js";
import { selfSigned } from "../../helpers/self-signed.js";

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

async function listen(t: TestContext, handler: Handler): Promise<number> {
  const server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

interface Options {
  readonly allowed?: readonly string[];
  readonly lookup?: Lookup;
  readonly retries?: number;
}

function connect(t: TestContext, endpoint: unknown, { allowed = [], lookup, retries = 0 }: Options = {}): Connection {
  const rules = addressRules(allowed);
  const outgoing = new Outgoing({ rules: () => rules, ...(lookup ? { lookup } : {}) });
  t.after(() => outgoing.close());
  return new Connection(parseEndpoint(endpoint) as UrlEndpoint, { outgoing, retries, timeout: 5000 });
}

/** Every name has these addresses, one answer after the other. */
function lookupOf(...answers: readonly (readonly string[])[]): Lookup {
  let asked = 0;
  const lookup = (
    _name: string,
    _options: unknown,
    callback: (error: Error | null, addresses: readonly LookupAddress[]) => void,
  ): void => {
    const addresses = answers[Math.min(asked++, answers.length - 1)] ?? [];
    callback(
      null,
      addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 })),
    );
  };
  return lookup as unknown as Lookup;
}

const { signal } = new AbortController();
const info = { method: "GET", path: "", signal } as const;
const isForbidden = (error: unknown): boolean =>
  error instanceof CouchError && error.error === "forbidden" && /private/.test(error.reason);

const answersInfo: Handler = (_request, response) => response.end('{"db_name":"db"}');

describe("requests of the replicator (server-side request forgery)", () => {
  test("a literal private address is refused before a connection", async (t) => {
    let asked = 0;
    const port = await listen(t, (request, response) => {
      asked++;
      answersInfo(request, response);
    });
    for (const host of ["127.0.0.1", "127.1", "0x7f000001", "2130706433", "[::ffff:127.0.0.1]"]) {
      await assert.rejects(connect(t, `http://${host}:${port}/db`).askJson(info), isForbidden, host);
    }
    assert.equal(asked, 0);
    const allowed = connect(t, `http://127.0.0.1:${port}/db`, { allowed: ["127.0.0.1"] });
    assert.deepEqual(await allowed.askJson(info), { db_name: "db" });
  });

  test("a name with a private address is refused", async (t) => {
    const port = await listen(t, answersInfo);
    const url = `http://couch.example.org:${port}/db`;
    await assert.rejects(connect(t, url, { lookup: lookupOf(["127.0.0.1"]) }).askJson(info), isForbidden);
    await assert.rejects(connect(t, url, { lookup: lookupOf(["::1"]) }).askJson(info), isForbidden);
    const allowed = connect(t, url, { lookup: lookupOf(["127.0.0.1"]), allowed: ["127.0.0.0/8"] });
    assert.deepEqual(await allowed.askJson(info), { db_name: "db" });
  });

  test("DNS rebinding: a name that was public a moment ago and is private now is refused", async (t) => {
    let asked = 0;
    const port = await listen(t, () => asked++);
    // The first address belongs to nobody: whoever checked it and looked the name up again would come here.
    const lookup = lookupOf(["198.51.100.1", "127.0.0.1"], ["127.0.0.1"]);
    const connection = connect(t, `http://rebind.example.org:${port}/db`, { lookup, allowed: ["198.51.100.1"] });
    const given = AbortSignal.timeout(300);
    await assert.rejects(connection.askJson({ ...info, signal: given }));
    await assert.rejects(connection.askJson(info), isForbidden);
    assert.equal(asked, 0);
  });

  test("a redirect to a private address is refused, one to an allowed place is followed without the secrets", async (t) => {
    const seen: (string | undefined)[] = [];
    const elsewhere = await listen(t, (request, response) => {
      seen.push(request.headers.authorization);
      answersInfo(request, response);
    });
    const to = (location: string) => listen(t, (_request, response) => response.writeHead(302, { location }).end("{}"));
    const lookup = lookupOf(["127.0.0.1"]);
    const endpoint = (port: number) => `http://ada:secret@127.0.0.1:${port}/db`;
    const inside = await to(`http://[::1]:${elsewhere}/db`);
    await assert.rejects(connect(t, endpoint(inside), { allowed: ["127.0.0.1"] }).askJson(info), isForbidden);
    const metadata = await to("http://169.254.169.254/latest/meta-data");
    await assert.rejects(connect(t, endpoint(metadata), { allowed: ["127.0.0.1"] }).askJson(info), isForbidden);
    const fine = await to(`http://other.example.org:${elsewhere}/db`);
    const followed = connect(t, endpoint(fine), { allowed: ["127.0.0.1"], lookup });
    assert.deepEqual(await followed.askJson(info), { db_name: "db" });
    assert.deepEqual(seen, [undefined]);
    const file = await to("file:///etc/passwd");
    await assert.rejects(connect(t, endpoint(file), { allowed: ["127.0.0.1"] }).askJson(info), /not safe/);
  });

  test("a redirect without end ends", async (t) => {
    let asked = 0;
    const port = await listen(t, (_request, response) => {
      asked++;
      response.writeHead(302, { location: `/db?${asked}` }).end("{}");
    });
    const connection = connect(t, `http://127.0.0.1:${port}/db`, { allowed: ["127.0.0.1"] });
    await assert.rejects(connection.askJson(info), CouchError);
    assert.ok(asked < 10, String(asked));
  });
});

test("a certificate that nobody vouches for is refused", async (t) => {
  let asked = 0;
  const server = createTlsServer(selfSigned, (request, response) => {
    asked++;
    answersInfo(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const connection = connect(t, `https://127.0.0.1:${port}/db`, { allowed: ["127.0.0.1"] });
  await assert.rejects(connection.askJson(info), /self.signed certificate|unable to verify/i);
  assert.equal(asked, 0);
});

describe("a peer that is not well", () => {
  const local = { allowed: ["127.0.0.1"] };

  test("is asked again, and answers in the end", async (t) => {
    let asked = 0;
    const port = await listen(t, (request, response) => {
      asked++;
      if (asked === 1) return void request.socket.destroy();
      if (asked === 2) return void response.writeHead(503).end("{}");
      if (asked === 3)
        return void response.writeHead(200, { "content-length": "100" }).write("{", () => request.socket.destroy());
      answersInfo(request, response);
    });
    const connection = connect(t, `http://127.0.0.1:${port}/db`, { ...local, retries: 3 });
    assert.deepEqual(await connection.askJson(info), { db_name: "db" });
    assert.equal(asked, 4);
  });

  test("is given up after the tries that were allowed, in words without its secrets", async (t) => {
    const port = await listen(t, (_request, response) => response.writeHead(500).end("no"));
    const connection = connect(t, `http://ada:secret@127.0.0.1:${port}/db`, { ...local, retries: 1 });
    await assert.rejects(connection.askJson(info), (error) => {
      assert.ok(error instanceof PeerUnavailable);
      assert.match(error.reason, /answered 500/);
      assert.doesNotMatch(error.reason, /secret/);
      return true;
    });
  });

  const refusals: readonly (readonly [number, string, string])[] = [
    [401, "http://ada:secret@", "replication_auth_error"],
    [401, "http://", "unauthorized"],
    [403, "http://", "forbidden"],
    [404, "http://", "db_not_found"],
    [400, "http://", "replication_error"],
  ];
  for (const [status, scheme, expected] of refusals) {
    test(`${status} to ${scheme}... is ${expected}`, async (t) => {
      const port = await listen(t, (_request, response) => response.writeHead(status).end("{}"));
      await assert.rejects(connect(t, `${scheme}127.0.0.1:${port}/db`, local).askJson(info), (error) => {
        assert.equal((error as CouchError).error, expected);
        return true;
      });
    });
  }

  test("the path of a document is sent as it is: no id leads out of the database", async (t) => {
    const paths: (string | undefined)[] = [];
    const port = await listen(t, (request, response) => {
      paths.push(request.url);
      answersInfo(request, response);
    });
    const connection = connect(t, `http://127.0.0.1:${port}/some/db`, local);
    for (const path of ["..", "%2E%2E", "a%2Fb", "_local/x"]) await connection.askJson({ ...info, path });
    assert.deepEqual(paths, ["/some/db/..", "/some/db/%2E%2E", "/some/db/a%2Fb", "/some/db/_local/x"]);
  });
});
