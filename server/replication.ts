/** The replicator with what it needs of all other parts. */
import type { Config } from "./config.js";
import { replicationServices } from "./http/replication-services.js";
import type { Services } from "./http/services.js";
import type { Logger } from "./logging.js";
import type { PeerServices } from "./replicator/peers.js";
import { addressRules } from "./replicator/remote/address-rules.js";
import { Outgoing } from "./replicator/remote/outgoing.js";
import { Replicator } from "./replicator/replicator.js";

export interface ReplicationParts {
  readonly services: Omit<Services, "replicator">;
  readonly config: Config;
  readonly log: Logger;
}

export class Replication {
  readonly replicator: Replicator;
  /** For programs of the operator that replicate by themselves. */
  readonly services: PeerServices;
  readonly #outgoing: Outgoing;
  #listening: string | undefined;

  constructor({ services, config, log }: ReplicationParts) {
    const rules = addressRules(config.replicator.allowedAddresses);
    this.#outgoing = new Outgoing({ rules: () => rules });
    this.services = replicationServices(services, this.#outgoing, () => this.#listening);
    this.replicator = new Replicator({
      databases: services.databases,
      services: this.services,
      uuid: services.uuid,
      settings: () => services.config.replicator,
      identityOf: (name) => services.gateway.identityOf(name),
      log,
    });
  }

  /** Begins with what the documents ask for. `url`: where this server listens. */
  async start(url: string): Promise<void> {
    this.#listening = url;
    await this.replicator.start();
  }

  async stop(): Promise<void> {
    await this.replicator.stop();
    await this.#outgoing.close();
  }
}
