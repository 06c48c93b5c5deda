/** The connections of the replicator to other servers. */
import { lookup as systemLookup } from "node:dns";
import { isIP, type LookupFunction } from "node:net";
import { Agent, type Dispatcher } from "undici";
import { CouchError } from "../../../protocol/errors.js";
import type { AddressRules } from "./address-rules.js";

/** A way to find the addresses of a name; `dns.lookup` is one. */
export type Lookup = typeof systemLookup;

export interface OutgoingOptions {
  /** Those in force: they may be others at the next connection. */
  readonly rules: () => AddressRules;
  readonly lookup?: Lookup;
  /** Connections to one server at the same time. */
  readonly connectionsPerServer?: number;
}

/** Milliseconds. */
const connectTimeout = 10_000;

/** One for the whole process: connections are shared by all replications, and closed when the server stops. */
export class Outgoing {
  readonly #rules: () => AddressRules;
  readonly #agent: Agent;

  constructor({ rules, lookup = systemLookup, connectionsPerServer = 20 }: OutgoingOptions) {
    this.#rules = rules;
    this.#agent = new Agent({
      connections: connectionsPerServer,
      // Certificates are verified: Node.js does so unless it is told otherwise, and nothing here tells it so.
      connect: { lookup: guardedLookup(rules, lookup), timeout: connectTimeout },
      keepAliveTimeout: 10_000,
      pipelining: 1,
    });
  }

  /** One request to one server, redirects as they come. @throws CouchError forbidden for an address that is not allowed */
  async request(
    url: URL,
    path: string,
    options: Omit<Dispatcher.RequestOptions, "origin" | "path">,
  ): Promise<Dispatcher.ResponseData> {
    const host = url.hostname.replace(/^\[|\]$/g, "");
    // A literal address is connected to without a look-up.
    if (isIP(host) !== 0 && !this.#rules().allows(host)) throw refusedAddress(url.hostname);
    try {
      return await this.#agent.request({ ...options, origin: url.origin, path });
    } catch (error) {
      const refused = findRefusal(error);
      throw refused ? refusedAddress(url.hostname) : error;
    }
  }

  close(): Promise<void> {
    return this.#agent.destroy();
  }
}

class AddressRefused extends Error {}

function findRefusal(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) if (cause instanceof AddressRefused) return true;
  return false;
}

function refusedAddress(host: string): CouchError {
  return new CouchError(
    "forbidden",
    `The replicator may not connect to ${host}: its address is private. The setting replicator.allowedAddresses can allow it.`,
  );
}

/** Gives out only addresses that may be connected to; those are what is connected to. */
function guardedLookup(rules: () => AddressRules, lookup: Lookup): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, "", 0);
      const { allows } = rules();
      const allowed = addresses.filter(({ address }) => allows(address));
      const [first] = allowed;
      if (!first) return callback(new AddressRefused(hostname), "", 0);
      if (options.all) return callback(null, allowed);
      callback(null, first.address, first.family);
    });
  };
}
