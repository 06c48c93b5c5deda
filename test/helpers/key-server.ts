/** An issuer of JWTs with its key set behind HTTP on loopback. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from "jose";
import type { Cleanup } from "./temp-store.js";

interface Key {
  readonly kid: string;
  readonly algorithm: string;
  readonly privateKey: CryptoKey;
  readonly publicJwk: JWK;
}

export class KeyServer {
  readonly url: string;
  /** Of the key set. */
  requests = 0;
  /** Answers instead of the key set. */
  instead: ((request: IncomingMessage, response: ServerResponse) => void) | undefined;
  readonly #keys: Key[] = [];

  private constructor(url: string) {
    this.url = url;
  }

  static async start(t: Cleanup, algorithm = "RS256"): Promise<KeyServer> {
    let issuer: KeyServer | undefined;
    const server = createServer((request, response) => {
      if (!issuer) return;
      issuer.requests++;
      if (issuer.instead) return issuer.instead(request, response);
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ keys: issuer.#keys.map(({ publicJwk }) => publicJwk) }));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    t.after(() => {
      server.closeAllConnections();
      server.close();
    });
    issuer = new KeyServer(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    await issuer.addKey(algorithm);
    return issuer;
  }

  async addKey(algorithm = "RS256"): Promise<void> {
    const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true });
    const kid = `key-${this.#keys.length}`;
    const publicJwk = { ...(await exportJWK(publicKey)), kid, alg: algorithm, use: "sig" };
    this.#keys.push({ kid, algorithm, privateKey, publicJwk });
  }

  removeFirstKey(): void {
    this.#keys.shift();
  }

  get publicJwk(): JWK {
    return (this.#keys.at(-1) as Key).publicJwk;
  }

  /** Signed with the newest key. */
  sign(claims: JWTPayload, header: Readonly<Record<string, unknown>> = {}): Promise<string> {
    const { kid, algorithm, privateKey } = this.#keys.at(-1) as Key;
    return new SignJWT(claims).setProtectedHeader({ alg: algorithm, kid, ...header }).sign(privateKey);
  }
}
