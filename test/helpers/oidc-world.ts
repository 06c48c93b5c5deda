/** A real OpenID provider on loopback (`oidc-provider`), and a browser that follows links and keeps cookies. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Provider } from "oidc-provider";
import type { Cleanup } from "./temp-store.js";

export interface Person {
  readonly sub: string;
  readonly preferred_username?: string;
  readonly email?: string;
  readonly email_verified?: boolean;
}

export const clientId = "settee";
export const clientSecret = "shared by provider and client";

export class OidcWorld {
  readonly issuer: string;
  /** Whoever comes to the provider's log-in page next. Undefined: they turn round. */
  person: Person | undefined;
  /** Requests so far, `METHOD path`. */
  readonly requests: string[] = [];

  private constructor(issuer: string) {
    this.issuer = issuer;
  }

  /** @param callbacks where the provider may send the browser back to; asked when the first request comes */
  static async start(t: Cleanup, callbacks: () => readonly string[]): Promise<OidcWorld> {
    let answer: ((request: IncomingMessage, response: ServerResponse) => unknown) | undefined;
    const server: Server = createServer((request, response) => void answer?.(request, response));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    t.after(() => {
      server.closeAllConnections();
      server.close();
    });
    const world = new OidcWorld(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    let provider: Provider | undefined;
    answer = async (request, response) => {
      world.requests.push(`${request.method} ${request.url?.split("?", 1)[0]}`);
      provider ??= world.#provider(callbacks());
      if (!isLogInPage(request)) return provider.callback()(request, response);
      const result = world.person
        ? { login: { accountId: JSON.stringify(world.person) } }
        : { error: "access_denied", error_description: "The person turned round." };
      return provider.interactionFinished(request, response, result);
    };
    return world;
  }

  #provider(redirectUris: readonly string[]): Provider {
    return new Provider(this.issuer, {
      clients: [
        {
          client_id: clientId,
          client_secret: clientSecret,
          redirect_uris: [...redirectUris],
          token_endpoint_auth_method: "client_secret_post",
        },
      ],
      cookies: { keys: ["a key for tests"] },
      features: { devInteractions: { enabled: false } },
      interactions: { url: (_, { uid }) => `/log-in/${uid}` },
      claims: { openid: ["sub"], profile: ["preferred_username"], email: ["email", "email_verified"] },
      conformIdTokenClaims: false,
      pkce: { required: () => true },
      findAccount: (_, id) => {
        const person = JSON.parse(id) as Person;
        return { accountId: id, claims: () => ({ ...person }) };
      },
      async loadExistingGrant({ oidc }) {
        const accountId = oidc.session?.accountId as string;
        const grant = new oidc.provider.Grant({ clientId, accountId });
        grant.addOIDCScope("openid profile email");
        await grant.save();
        return grant;
      },
    });
  }
}

function isLogInPage({ url }: IncomingMessage): boolean {
  return url?.startsWith("/log-in/") === true;
}

/** Keeps cookies by host, and follows redirects for as long as they stay with hosts that answer. */
export class Browser {
  readonly #cookies = new Map<string, Map<string, string>>();

  /** The last answer, and where it was; stops before a URL of `app`. */
  async visit(start: string, app: string): Promise<{ readonly url: string; readonly response: Response | undefined }> {
    let url = start;
    for (let hops = 0; hops < 20; hops++) {
      if (url.startsWith(app)) return { url, response: undefined };
      const response = await this.fetch(url);
      const location = response.headers.get("location");
      if (location === null) return { url, response };
      url = new URL(location, url).href;
    }
    throw new Error(`${start} leads in a circle`);
  }

  async fetch(url: string, init: RequestInit = {}): Promise<Response> {
    const { host } = new URL(url);
    const jar = this.#cookies.get(host) ?? new Map<string, string>();
    this.#cookies.set(host, jar);
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
    const headers = { ...(init.headers as Record<string, string>), ...(cookie && { cookie }) };
    const response = await fetch(url, { ...init, headers, redirect: "manual" });
    for (const line of response.headers.getSetCookie()) {
      const [pair = ""] = line.split(";", 1);
      const equals = pair.indexOf("=");
      const [name, value] = [pair.slice(0, equals), pair.slice(equals + 1)];
      if (value === "" || /max-age=0(;|$)/i.test(line)) jar.delete(name);
      else jar.set(name, value);
    }
    return response;
  }

  cookies(url: string): readonly string[] {
    return [...(this.#cookies.get(new URL(url).host)?.keys() ?? [])];
  }
}
