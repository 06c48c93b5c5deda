import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { test } from "node:test";
import { type Client, clientOf, type ProxyRules } from "../../server/http/client-address.js";
import { basic } from "../helpers/http-client.js";
import { startHttpWorld } from "../helpers/http-world.js";

interface Case {
  readonly name: string;
  readonly from?: string;
  readonly rules?: Partial<ProxyRules>;
  readonly headers: Readonly<Record<string, string>>;
  readonly client: Partial<Client>;
}

const trusted = ["127.0.0.1", "10.0.0.0/8", "fd00::/8"];
const forwarded = { header: "forwarded" } as const;
const spoofed = { "x-forwarded-for": "198.51.100.9", "x-forwarded-proto": "https", "x-forwarded-host": "evil.example" };
const plain = { overTls: false, host: "here:5984" };

const cases: readonly Case[] = [
  { name: "nobody is trusted", rules: { trusted: [] }, headers: spoofed, client: { address: "127.0.0.1", ...plain } },
  { name: "a stranger's word", from: "192.0.2.1", headers: spoofed, client: { address: "192.0.2.1", ...plain } },
  {
    name: "a proxy's word",
    headers: { "x-forwarded-for": "192.0.2.1", "x-forwarded-proto": "https", "x-forwarded-host": "app.example" },
    client: { address: "192.0.2.1", overTls: true, host: "app.example" },
  },
  {
    name: "what the client wrote before the proxy did",
    headers: { "x-forwarded-for": "198.51.100.9, 192.0.2.1" },
    client: { address: "192.0.2.1", ...plain },
  },
  {
    name: "the client wrote an address of a proxy",
    headers: { "x-forwarded-for": "198.51.100.9, 10.9.9.9, 192.0.2.1" },
    client: { address: "192.0.2.1" },
  },
  {
    name: "two proxies",
    headers: { "x-forwarded-for": "192.0.2.1, 10.1.2.3", "x-forwarded-proto": "https" },
    client: { address: "192.0.2.1", overTls: true },
  },
  {
    name: "a protocol for each hop: that of the client's",
    headers: { "x-forwarded-for": "198.51.100.9, 192.0.2.1", "x-forwarded-proto": "https, http" },
    client: { address: "192.0.2.1", overTls: false },
  },
  { name: "only proxies", headers: { "x-forwarded-for": "10.1.2.3" }, client: { address: "10.1.2.3" } },
  { name: "no header", headers: {}, client: { address: "127.0.0.1", ...plain } },
  { name: "no address", headers: { "x-forwarded-for": "unknown" }, client: { address: "127.0.0.1", ...plain } },
  {
    name: "no address behind one",
    headers: { "x-forwarded-for": "<script>, 192.0.2.1" },
    client: { address: "192.0.2.1" },
  },
  { name: "a port", headers: { "x-forwarded-for": "192.0.2.1:4711" }, client: { address: "192.0.2.1" } },
  { name: "IPv6", headers: { "x-forwarded-for": "[2001:db8::1]:4711" }, client: { address: "2001:db8::1" } },
  { name: "a proxy in IPv6's clothes", from: "::ffff:10.0.0.1", headers: spoofed, client: { address: "198.51.100.9" } },
  { name: "an IPv6 proxy", from: "fd00::7", headers: spoofed, client: { address: "198.51.100.9" } },
  {
    name: "a host with other characters",
    headers: { "x-forwarded-for": "192.0.2.1", "x-forwarded-host": 'a"b/@evil.example' },
    client: { host: "here:5984" },
  },
  {
    name: "Forwarded",
    rules: forwarded,
    headers: { forwarded: 'for=198.51.100.9, for="[2001:db8::1]:1";proto=https;host="app.example:8443"' },
    client: { address: "2001:db8::1", overTls: true, host: "app.example:8443" },
  },
  {
    name: "X-Forwarded-For where Forwarded is what the proxy writes",
    rules: forwarded,
    headers: { ...spoofed, forwarded: "for=192.0.2.1" },
    client: { address: "192.0.2.1", ...plain },
  },
  {
    name: "Forwarded where X-Forwarded-For is what the proxy writes",
    headers: { forwarded: "for=198.51.100.9;proto=https", "x-forwarded-for": "192.0.2.1" },
    client: { address: "192.0.2.1", ...plain },
  },
  {
    name: "an obscured name",
    rules: forwarded,
    headers: { forwarded: "for=_gazonk" },
    client: { address: "127.0.0.1" },
  },
];

for (const { name, from = "127.0.0.1", rules = {}, headers, client } of cases) {
  test(`forwarded addresses are believed only from a configured proxy: ${name}`, () => {
    const request = { headers: { host: "here:5984", ...headers }, socket: { remoteAddress: from } };
    const found = clientOf(request as unknown as IncomingMessage, { trusted, header: "x-forwarded-for", ...rules });
    for (const [member, value] of Object.entries(client)) assert.equal(found[member as keyof Client], value, member);
  });
}

test("behind a TLS proxy: cookies are Secure, locations are https, and each client has a lock-out of their own", async (t) => {
  const { client } = await startHttpWorld(t, undefined, { config: { proxies: { trusted: ["127.0.0.1"] } } });
  const user = { name: "ada", password: "long enough", roles: [], type: "user" };
  await client.expect(201, "PUT", "/_users/org.couchdb.user:ada", { body: user });
  const through = (address: string) => ({
    "x-forwarded-for": address,
    "x-forwarded-proto": "https",
    "x-forwarded-host": "db.example",
  });
  const body = { name: "ada", password: "long enough" };
  const logIn = { body, headers: through("192.0.2.1"), authorization: null };
  const reply = await client.expect(200, "POST", "/_session", logIn);
  assert.match(String(reply.headers["set-cookie"]), /; Path=\/; Secure; HttpOnly$/);
  const made = await client.expect(201, "PUT", "/notes", { headers: through("192.0.2.1") });
  assert.equal(made.headers.location, "https://db.example/notes");

  const guess = { authorization: basic("ada", "wrong"), headers: through("192.0.2.2") };
  for (let count = 0; count < 5; count++) await client.expect(401, "GET", "/_session", guess);
  await client.expect(403, "GET", "/_session", guess);
  await client.expect(200, "POST", "/_session", logIn);
  await client.expect(403, "POST", "/_session", { ...logIn, headers: through("192.0.2.2") });
});
