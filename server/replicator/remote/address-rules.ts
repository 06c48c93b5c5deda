/**
 * Where requests of the replicator may go. Whoever may start one could otherwise have this server ask its own neighbours: the machine
 * itself, the private network, the cloud's metadata. Names are looked up and the very address that is connected to is checked, so that a
 * redirect or a name that changes its address between the check and the connection gains nothing.
 */
import { BlockList, isIP, isIPv4 } from "node:net";

export interface AddressRules {
  /** Whether a connection to this address (no name) may be made. */
  allows(address: string): boolean;
}

/** Everything that is not plainly the public internet. */
const refused = subnets([
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "168.63.129.16/32",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.88.99.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/4",
  "240.0.0.0/4",
  "::/128",
  "::1/128",
  "64:ff9b::/96",
  "64:ff9b:1::/48",
  "100::/64",
  "2001::/32",
  "2001:db8::/32",
  "2002::/16",
  "fc00::/7",
  "fe80::/10",
  "fec0::/10",
  "ff00::/8",
]);

/** What may stand in the setting for all private addresses. */
export const everywhere = "*";

/** @param allowed addresses and subnets (`10.1.0.0/16`) that may be connected to although they are private; `*`: all */
export function addressRules(allowed: readonly string[]): AddressRules {
  if (allowed.includes(everywhere)) return { allows: () => true };
  const exceptions = subnets(allowed);
  return {
    allows(address) {
      const plain = plainAddress(address);
      if (plain === undefined) return false;
      const family = isIPv4(plain) ? "ipv4" : "ipv6";
      return exceptions.check(plain, family) || !refused.check(plain, family);
    },
  };
}

/** Whether a text is an address or a subnet in CIDR form. */
export function isSubnet(text: string): boolean {
  const [address = "", bits, more] = text.split("/");
  const version = isIP(address);
  if (version === 0 || more !== undefined) return false;
  if (bits === undefined) return true;
  return /^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128);
}

function subnets(texts: readonly string[]): BlockList {
  const list = new BlockList();
  for (const text of texts) {
    const [address = "", bits] = text.split("/");
    const version = isIP(address);
    list.addSubnet(address, Number(bits ?? (version === 4 ? 32 : 128)), version === 4 ? "ipv4" : "ipv6");
  }
  return list;
}

/** Without brackets and zone; an IPv4 address that hides in an IPv6 one as itself. Undefined for what is no address. */
function plainAddress(address: string): string | undefined {
  const bare = address.replace(/^\[|\]$/g, "").split("%", 1)[0] as string;
  if (isIP(bare) === 0) return undefined;
  if (isIPv4(bare)) return bare;
  // The URL parser gives every IPv6 address its shortest form.
  const short = new URL(`http://[${bare}]`).hostname.slice(1, -1);
  const mapped = /^::(?:ffff:(?:0:)?)?([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(short);
  if (!mapped) return short;
  const [high, low] = [Number.parseInt(mapped[1] as string, 16), Number.parseInt(mapped[2] as string, 16)];
  return [high >> 8, high & 255, low >> 8, low & 255].join(".");
}
