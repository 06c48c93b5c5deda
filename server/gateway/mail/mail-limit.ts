/** How many mails one address is sent: whoever types in somebody else's must not be able to fill their mailbox. */
import { createHash } from "node:crypto";
import { LRUCache } from "lru-cache";
import { normalEmail } from "../../../protocol/email.js";

const maxAddresses = 50_000;
const window = 60 * 60_000;

export class MailLimit {
  readonly #perHour: number;
  readonly #now: () => number;
  readonly #sent = new LRUCache<string, { count: number; readonly since: number }>({ max: maxAddresses });

  constructor(perHour: number, now: () => number) {
    this.#perHour = perHour;
    this.#now = now;
  }

  /** Counts one more. @returns false when that is too many; whether the address is known here plays no part in it */
  allows(address: string): boolean {
    const key = createHash("sha256").update(normalEmail(address)).digest("base64");
    const known = this.#sent.get(key);
    const entry = known && known.since + window > this.#now() ? known : { count: 0, since: this.#now() };
    entry.count++;
    this.#sent.set(key, entry);
    return entry.count <= this.#perHour;
  }
}
