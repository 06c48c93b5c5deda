/** Addresses as rules and lock-outs take them. */
import { isIP } from "node:net";

const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

/** IPv4 in IPv6's clothes, as sockets that listen to both tell it, is IPv4. A zone goes. */
export function plainAddress(address: string): string {
  const percent = address.indexOf("%");
  const bare = percent < 0 ? address : address.slice(0, percent);
  return mapped.exec(bare)?.[1] ?? bare;
}

/** What somebody has who has this address: IPv6 is given out by /64, so that one of its addresses is nobody's name. */
export function networkOf(address: string): string {
  const plain = plainAddress(address);
  if (isIP(plain) !== 6) return plain;
  const [before = "", after] = plain.split("::");
  const groups = before === "" ? [] : before.split(":");
  // Shortened: as many zeros as are missing. Four groups are looked at, so that a dotted end does not matter.
  while (after !== undefined && groups.length < 4 && groups.length + groupsIn(after) < 8) groups.push("0");
  if (after) groups.push(...after.split(":"));
  const network = groups.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16));
  return `${network.join(":")}::/64`;
}

function groupsIn(text: string): number {
  if (text === "") return 0;
  const groups = text.split(":");
  return groups.length + (groups.at(-1)?.includes(".") ? 1 : 0);
}
