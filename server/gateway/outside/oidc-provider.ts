/** One OpenID provider, through the certified client: discovery, PKCE, state, nonce. */
import * as oidc from "openid-client";
import { CouchError } from "../../../protocol/errors.js";
import { boundedFetch } from "./bounded-fetch.js";
import { textAt } from "./claims.js";
import type { Flow } from "./flow.js";
import type { OutsideIdentity } from "./outside-accounts.js";

export interface OidcProviderOptions {
  /** Of the settings: stands in URLs. */
  readonly name: string;
  /** For people. */
  readonly label: string;
  readonly issuer: string;
  readonly clientId: string;
  /** Absent: a public client, with PKCE alone. */
  readonly clientSecret?: string | undefined;
  readonly scopes: readonly string[];
  /** What the account is to be called. */
  readonly nameClaim: string;
  readonly createAccounts: boolean;
  /** http instead of https, for a provider on the same machine. */
  readonly allowHttp: boolean;
}

/** Milliseconds after which keys and endpoints are asked for again. */
const configurationLife = 60 * 60_000;
/** And after a failure: whoever starts log-ins must not make us knock without end. */
const cooldown = 5_000;

export class OidcProvider {
  readonly options: OidcProviderOptions;
  #configuration: { readonly value: Promise<oidc.Configuration>; readonly until: number } | undefined;

  constructor(options: OidcProviderOptions) {
    this.options = options;
  }

  /** Where to send the browser. Rejects with CouchError service_unavailable */
  async authorizationUrl({ state, nonce, verifier, callback }: Flow): Promise<string> {
    const configuration = await this.#discovered();
    const url = oidc.buildAuthorizationUrl(configuration, {
      redirect_uri: callback,
      scope: this.options.scopes.join(" "),
      state,
      nonce,
      code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
      code_challenge_method: "S256",
    });
    return url.href;
  }

  /**
   * Whom the provider vouches for. @param query of its answer
   * Rejects with CouchError unauthorized when the answer is not good, service_unavailable when the provider is not there
   */
  async identify({ callback, verifier, state, nonce }: Flow, query: string): Promise<OutsideIdentity> {
    const configuration = await this.#discovered();
    const { name, issuer, nameClaim } = this.options;
    const answer = new URL(callback);
    answer.search = query;
    const tokens = await oidc
      .authorizationCodeGrant(configuration, answer, {
        pkceCodeVerifier: verifier,
        expectedState: state,
        expectedNonce: nonce,
        idTokenExpected: true,
      })
      .catch((error: unknown) => {
        throw new CouchError("unauthorized", `${name} did not confirm the log-in.`, { cause: error });
      });
    const claims = tokens.claims();
    if (!claims) throw new CouchError("unauthorized", `${name} did not confirm the log-in.`);
    return {
      issuer,
      subject: claims.sub,
      provider: name,
      nameHint: textAt(claims, nameClaim) ?? textAt(claims, "email"),
      email: textAt(claims, "email"),
    };
  }

  #discovered(): Promise<oidc.Configuration> {
    const now = performance.now();
    if (this.#configuration && this.#configuration.until > now) return this.#configuration.value;
    const value = this.#discover();
    this.#configuration = { value, until: now + configurationLife };
    value.catch(() => {
      if (this.#configuration?.value === value) this.#configuration = { value, until: now + cooldown };
    });
    return value;
  }

  async #discover(): Promise<oidc.Configuration> {
    const { issuer, clientId, clientSecret, allowHttp, name } = this.options;
    const authentication = clientSecret === undefined ? oidc.None() : oidc.ClientSecretPost(clientSecret);
    try {
      return await oidc.discovery(new URL(issuer), clientId, undefined, authentication, {
        [oidc.customFetch]: (url, init) => boundedFetch(url, init as RequestInit),
        ...(allowHttp ? { execute: [oidc.allowInsecureRequests] } : {}),
      });
    } catch (error) {
      throw new CouchError("service_unavailable", `${name} cannot be reached now.`, { cause: error });
    }
  }
}
