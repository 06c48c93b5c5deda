/**
 * The keys of access tokens: one signs, those before it verify until what they signed has expired. They stand in the
 * document `keys` of `settee_config`, where every gateway over the same databases finds them.
 */
import { parseDocId } from "../../../protocol/ids.js";
import type { Backend, JsonDocument } from "../../backend/backend.js";
import { retryConflicts } from "../retry-conflicts.js";
import { configDatabase } from "../system-databases.js";
import {
  newStoredKey,
  openStoredKey,
  type PublicJwk,
  type SigningKey,
  type StoredKey,
  type TokenAlgorithm,
} from "./signing-key.js";

export interface KeyRingOptions {
  /** 32 bytes, derived from the server's secret. */
  readonly sealingKey: Buffer;
  /** Of the key that signs. Another one than before makes a new key at the start. */
  readonly algorithm: TokenAlgorithm;
  /** Milliseconds for which a key verifies after its successor has come: the longest life of a token. */
  readonly overlap: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly onError: (error: unknown) => void;
}

interface KeysDocument extends JsonDocument {
  /** The one that signs is the last. */
  readonly keys: readonly StoredKey[];
}

const documentId = parseDocId("keys");
/** Milliseconds between two looks for a key that a token names and that is not known: anybody can make up names. */
const lookInterval = 5_000;

export class KeyRing {
  readonly #backend: Backend;
  readonly #options: KeyRingOptions;
  #byKid: ReadonlyMap<string, SigningKey> = new Map();
  #signing: SigningKey | undefined;
  #latest: Promise<void> | undefined;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #unsubscribe: (() => void) | undefined;

  constructor(backend: Backend, options: KeyRingOptions) {
    this.#backend = backend;
    this.#options = options;
  }

  /** Makes the first key, and another one when the algorithm or the server's secret has become another. */
  async start(): Promise<void> {
    this.#unsubscribe = this.#backend.subscribe(configDatabase, ({ id }) => {
      if (id === documentId) this.#load().catch(this.#options.onError);
    });
    await this.#load();
    const { algorithm, sealingKey } = this.#options;
    if (this.#signing?.algorithm === algorithm) return;
    await this.#add(async (last) => last.alg === algorithm && (await openStoredKey(last, sealingKey)) !== undefined);
  }

  close(): void {
    this.#unsubscribe?.();
  }

  /** The one that signs. Only after `start`. */
  get signing(): SigningKey {
    return this.#signing as SigningKey;
  }

  /** One that may still verify. */
  find(kid: string): SigningKey | undefined {
    const key = this.#byKid.get(kid);
    return key && (key.retiresAt === undefined || key.retiresAt > this.#options.now()) ? key : undefined;
  }

  /** As `find`, for a name that is not known: another gateway may have made the key just now. */
  async look(kid: string): Promise<SigningKey | undefined> {
    const now = this.#options.now();
    if (now - this.#lookedAt >= lookInterval) {
      this.#lookedAt = now;
      await this.#load();
    }
    return this.find(kid);
  }

  /** For those who check our tokens themselves. */
  get jwks(): { readonly keys: PublicJwk[] } {
    const keys = [...this.#byKid.values()].filter(({ kid }) => this.find(kid));
    return { keys: keys.flatMap(({ publicJwk }) => publicJwk ?? []) };
  }

  /** A new key signs from now on; the former one verifies for as long as a token of it can live. @returns the new kid */
  rotate(): Promise<string> {
    return this.#add(() => Promise.resolve(false));
  }

  /** @param isGood what to do nothing for, as the last key stands: another gateway may have been faster */
  async #add(isGood: (last: StoredKey) => Promise<boolean>): Promise<string> {
    const { sealingKey, algorithm, overlap, now } = this.#options;
    const made = await newStoredKey(algorithm, sealingKey, now());
    const kid = await retryConflicts(async () => {
      const stored = await this.#backend.getDocument<KeysDocument>(configDatabase, documentId);
      const keys = stored?.keys ?? [];
      const last = keys.at(-1);
      if (last && (await isGood(last))) return last.kid;
      const time = now();
      const before = keys
        .map((key) => (key.retiresAt === undefined ? { ...key, retiresAt: time + overlap } : key))
        .filter(({ retiresAt = time }) => retiresAt > time);
      await this.#backend.putDocument(configDatabase, { ...stored, _id: documentId, keys: [...before, made] });
      return made.kid;
    });
    await this.#load();
    return kid;
  }

  #load(): Promise<void> {
    const load: Promise<void> = this.#read().then((keys) => {
      // A later reading is under way or done, and knows better.
      if (this.#latest !== load) return this.#latest;
      this.#byKid = new Map(keys.map((key) => [key.kid, key]));
      // None: somebody with another secret made the last one. They have their mistake, and we go on.
      this.#signing = keys.findLast(({ retiresAt }) => retiresAt === undefined) ?? this.#signing;
      return undefined;
    });
    this.#latest = load;
    return load;
  }

  async #read(): Promise<readonly SigningKey[]> {
    const document = await this.#backend.getDocument<KeysDocument>(configDatabase, documentId);
    const { sealingKey } = this.#options;
    const opened = await Promise.all((document?.keys ?? []).map((stored) => openStoredKey(stored, sealingKey)));
    return opened.flatMap((key) => key ?? []);
  }
}
