/**
 * Where a request comes from: the socket's other end, or what a trusted proxy says of it. Headers of anybody else are
 * their own invention.
 */
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { BlockList, isIP } from "node:net";
import { plainAddress } from "../gateway/network.js";

export interface ProxyRules {
  /** Addresses and ranges (`10.0.0.0/8`) of proxies. */
  readonly trusted: readonly string[];
  /** The header that they write. Another one would come from the client, unchanged. */
  readonly header: "x-forwarded-for" | "forwarded";
}

export interface Client {
  readonly address: string;
  readonly overTls: boolean;
  /** As the client wrote it: `host:port`. */
  readonly host: string;
}

/** One hop, as a proxy tells it of the one before. */
interface Hop {
  readonly address: string;
  readonly proto?: string | undefined;
  readonly host?: string | undefined;
}

const lists = new WeakMap<readonly string[], BlockList>();
const hostForm = /^[A-Za-z0-9.-]+(:\d{1,5})?$|^\[[0-9A-Fa-f:.]+\](:\d{1,5})?$/;

export function clientOf(request: IncomingMessage, { trusted, header }: ProxyRules): Client {
  const { headers, socket } = request;
  const direct: Client = {
    address: plainAddress(socket.remoteAddress ?? ""),
    overTls: "encrypted" in socket,
    host: headers.host ?? "localhost",
  };
  if (trusted.length === 0 || !isTrusted(direct.address, trusted)) return direct;
  const hops = header === "forwarded" ? ofForwarded(headers) : ofXForwarded(headers);
  let client: Hop = direct;
  // From the last proxy backwards, for as long as who tells it is trusted.
  for (let index = hops.length - 1; index >= 0 && isTrusted(client.address, trusted); index--) {
    const hop = hops[index] as Hop;
    if (isIP(hop.address) === 0) break;
    client = hop;
  }
  const { address, proto, host } = client;
  return {
    address,
    overTls: proto === undefined ? direct.overTls : proto === "https",
    host: host !== undefined && hostForm.test(host) ? host : direct.host,
  };
}

/** What is not an address is not trusted. */
function isTrusted(address: string, trusted: readonly string[]): boolean {
  let list = lists.get(trusted);
  if (!list) {
    list = blockListOf(trusted);
    lists.set(trusted, list);
  }
  const family = isIP(address);
  return family !== 0 && list.check(address, family === 6 ? "ipv6" : "ipv4");
}

/** @throws Error for what is neither an address nor a range */
export function blockListOf(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [address = "", bits] = range.split("/");
    const family = isIP(address);
    if (family === 0 || (bits !== undefined && !/^\d{1,3}$/.test(bits))) throw new Error(`${range} is no address.`);
    const kind = family === 6 ? "ipv6" : "ipv4";
    if (bits === undefined) list.addAddress(address, kind);
    else list.addSubnet(address, Number(bits), kind);
  }
  return list;
}

/** `X-Forwarded-For`, `-Proto` and `-Host`, of which the latter two may have been written by the first proxy alone. */
function ofXForwarded(headers: IncomingHttpHeaders): readonly Hop[] {
  const addresses = listOf(headers["x-forwarded-for"]).map(addressOf);
  const protos = listOf(headers["x-forwarded-proto"]);
  const hosts = listOf(headers["x-forwarded-host"]);
  return addresses.map((address, index) => {
    const fromLast = addresses.length - index;
    const at = (list: readonly string[]) => list[Math.max(0, list.length - fromLast)];
    return { address, proto: at(protos)?.toLowerCase(), host: at(hosts) };
  });
}

/** RFC 7239. */
function ofForwarded(headers: IncomingHttpHeaders): readonly Hop[] {
  return listOf(headers["forwarded"]).map((element) => {
    const pairs = element.split(";").map((pair): [string, string] => {
      const equals = pair.indexOf("=");
      const value = pair.slice(equals + 1).trim();
      return [pair.slice(0, equals).trim().toLowerCase(), value.replace(/^"(.*)"$/, "$1")];
    });
    const { for: address = "", proto, host } = Object.fromEntries(pairs) as Record<string, string | undefined>;
    return { address: addressOf(address), proto: proto?.toLowerCase(), host };
  });
}

function listOf(header: string | readonly string[] | undefined): readonly string[] {
  const text = Array.isArray(header) ? header.join(",") : ((header as string | undefined) ?? "");
  return text.split(",").flatMap((item) => item.trim() || []);
}

/** Without port and brackets. */
function addressOf(text: string): string {
  const bracketed = /^\[([^\]]+)\](:\d+)?$/.exec(text)?.[1];
  if (bracketed !== undefined) return plainAddress(bracketed);
  const withPort = /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(text)?.[1];
  return plainAddress(withPort ?? text);
}
