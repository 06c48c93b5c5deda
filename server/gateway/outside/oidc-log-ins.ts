/** Logging in with an outside provider: the way there, and what comes of the way back. */
import { randomNonce, randomPKCECodeVerifier, randomState } from "openid-client";
import { CouchError } from "../../../protocol/errors.js";
import type { LogIns } from "../sessions/log-ins.js";
import type { Device } from "../sessions/session-record.js";
import { endedFlowCookie, type Flow, flowCookie, flowLife, readFlow } from "./flow.js";
import { OidcProvider, type OidcProviderOptions } from "./oidc-provider.js";
import { challengeForm, type OneTimeCodes } from "./one-time-codes.js";
import type { OutsideAccounts } from "./outside-accounts.js";
import { allowedRedirect } from "./redirects.js";

export interface OidcOptions {
  readonly providers: readonly OidcProviderOptions[];
  /** URLs of apps. */
  readonly redirects: readonly string[];
}

export interface OidcLogInsParts {
  readonly options: OidcOptions;
  readonly codes: OneTimeCodes;
  readonly outsideAccounts: OutsideAccounts;
  readonly logIns: LogIns;
  /** 32 bytes. */
  readonly flowKey: Buffer;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export interface OidcStart {
  /** As clients reach this server: `https://db.example.org`. */
  readonly origin: string;
  readonly overTls: boolean;
  readonly redirect: string | undefined;
  readonly challenge: string | undefined;
}

export interface OidcCallback {
  readonly cookies: string | undefined;
  /** Of the provider's answer, as it came. */
  readonly query: string;
  readonly overTls: boolean;
  readonly device: Device;
}

/** Where the browser goes next, with cookies. */
export interface Sent {
  readonly location: string;
  readonly setCookies: readonly string[];
}

export class OidcLogIns {
  readonly #parts: OidcLogInsParts;
  readonly #providers: ReadonlyMap<string, OidcProvider>;

  constructor(parts: OidcLogInsParts) {
    this.#parts = parts;
    this.#providers = new Map(parts.options.providers.map((options) => [options.name, new OidcProvider(options)]));
  }

  /** For an app's log-in page. */
  get list(): readonly { readonly name: string; readonly label: string; readonly start: string }[] {
    return this.#parts.options.providers.map(({ name, label }) => ({
      name,
      label,
      start: `/_settee/oidc/${name}/start`,
    }));
  }

  /** @throws CouchError not_found, bad_request, service_unavailable */
  async start(name: string, { origin, overTls, redirect: wanted, challenge }: OidcStart): Promise<Sent> {
    const provider = this.#provider(name);
    const { options, flowKey, now } = this.#parts;
    const redirect = allowedRedirect(wanted, options.redirects);
    if (!redirect)
      throw new CouchError("bad_request", "redirect_to must be one of the app's URLs in `oidc.redirects`.");
    if (challenge !== undefined && !challengeForm.test(challenge)) {
      throw new CouchError("bad_request", "code_challenge must be the SHA-256 of a verifier, in base64url.");
    }
    const flow: Flow = {
      provider: name,
      state: randomState(),
      nonce: randomNonce(),
      verifier: randomPKCECodeVerifier(),
      callback: `${origin}/_settee/oidc/${name}/callback`,
      redirect: redirect.href,
      ...(challenge === undefined ? {} : { challenge }),
      expiresAt: now() + flowLife * 1000,
    };
    const location = await provider.authorizationUrl(flow);
    return { location, setCookies: [flowCookie(flow, flowKey, overTls)] };
  }

  /** @throws CouchError not_found, and bad_request for an answer that this browser did not ask for */
  async callback(name: string, { cookies, query, overTls, device }: OidcCallback): Promise<Sent> {
    const provider = this.#provider(name);
    const { flowKey, now } = this.#parts;
    const answer = new URLSearchParams(query);
    const flow = readFlow(cookies, answer.get("state") ?? undefined, flowKey, now());
    if (flow?.provider !== name) {
      throw new CouchError("bad_request", "This log-in was not begun in this browser, or too long ago. Begin again.");
    }
    const ended = endedFlowCookie(flow.state, overTls);
    try {
      const { members, setCookies } = await this.#outcome(provider, flow, answer, { query, overTls, device });
      return { location: withMembers(flow.redirect, members), setCookies: [ended, ...setCookies] };
    } catch (error) {
      // The app explains it to its user: they are in a browser, and not in front of JSON.
      if (!(error instanceof CouchError)) throw error;
      return { location: withMembers(flow.redirect, { error: error.error }), setCookies: [ended] };
    }
  }

  async #outcome(
    provider: OidcProvider,
    flow: Flow,
    answer: URLSearchParams,
    { query, overTls, device }: Omit<OidcCallback, "cookies">,
  ): Promise<{ readonly members: Readonly<Record<string, string>>; readonly setCookies: readonly string[] }> {
    const { codes, outsideAccounts, logIns } = this.#parts;
    const refusal = answer.get("error");
    if (refusal !== null) {
      return { members: { error: /^[a-z_]{1,40}$/.test(refusal) ? refusal : "access_denied" }, setCookies: [] };
    }
    const identity = await provider.identify(flow, query);
    const { createAccounts } = provider.options;
    if (flow.challenge !== undefined) {
      const code = await codes.make({ identity, createAccounts }, flow.challenge);
      return { members: { code }, setCookies: [] };
    }
    const principal = await outsideAccounts.principalOf(identity, createAccounts);
    if (!principal) return { members: { error: "no_account" }, setCookies: [] };
    const { setCookie } = await logIns.begin(principal, device, overTls);
    return { members: {}, setCookies: [setCookie] };
  }

  /** @throws CouchError not_found */
  #provider(name: string): OidcProvider {
    const provider = this.#providers.get(name);
    if (!provider) throw new CouchError("not_found", "There is no such provider.");
    return provider;
  }
}

function withMembers(redirect: string, members: Readonly<Record<string, string>>): string {
  const url = new URL(redirect);
  for (const [name, value] of Object.entries(members)) url.searchParams.set(name, value);
  return url.href;
}
