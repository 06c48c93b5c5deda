/** Builds what outside identities are made of. */
import type { Backend } from "../../backend/backend.js";
import type { Accounts } from "../accounts.js";
import type { CompleteGatewayOptions } from "../gateway-options.js";
import type { Principals } from "../principals.js";
import type { Provisioning } from "../provisioning.js";
import { LinkedIdentities } from "./linked-identities.js";
import { OneTimeCodes } from "./one-time-codes.js";
import { OutsideAccounts } from "./outside-accounts.js";
import { OutsidePrincipals } from "./outside-principals.js";
import { OutsideTokens } from "./outside-tokens.js";

export interface OutsidePartOptions {
  readonly backend: Backend;
  readonly accounts: Accounts;
  readonly principals: Principals;
  readonly provisioning: Provisioning;
  readonly options: CompleteGatewayOptions;
}

export class OutsidePart {
  readonly outsideAccounts: OutsideAccounts;
  readonly outsideTokens: OutsideTokens;
  readonly outsidePrincipals: OutsidePrincipals;
  readonly codes: OneTimeCodes;
  readonly identities: LinkedIdentities;

  constructor({ options: { now, jwtIssuers }, ...parts }: OutsidePartOptions) {
    this.outsideAccounts = new OutsideAccounts({ ...parts, now });
    this.outsideTokens = new OutsideTokens(jwtIssuers, now);
    this.outsidePrincipals = new OutsidePrincipals(this.outsideAccounts, parts.principals);
    this.codes = new OneTimeCodes(parts.backend, now);
    const { outsideAccounts, codes } = this;
    this.identities = new LinkedIdentities({ accounts: parts.accounts, outsideAccounts, codes });
  }
}
