/**
 * One-time codes of an authenticator app (TOTP, RFC 6238) beside the password, and recovery codes for when the device is
 * lost. The secret is sealed in the user document; the plain `totp.key` that CouchDB keeps there is understood too.
 *
 * A code works once: the time step of the last one is written on top of the revision that was read, so that of two uses at
 * once one meets the conflict and then sees that the step is gone.
 */
import { createHash, randomBytes } from "node:crypto";
import { Secret, TOTP } from "otpauth";
import { CouchError } from "../../../protocol/errors.js";
import type { UserName } from "../../../protocol/ids.js";
import type { Accounts, StoredSecondFactor } from "../accounts.js";
import { seal, unseal } from "../keys/sealed.js";
import type { Principal } from "../principals.js";
import type { Throttle } from "../throttle.js";
import type { ActivityLog } from "./activity-log.js";
import type { Asker } from "./sign-ups.js";

export interface SecondFactorsParts {
  readonly accounts: Accounts;
  readonly activity: ActivityLog;
  /** Counts wrong codes of an account, wherever they come from: they are short. */
  readonly throttle: Throttle;
  /** 32 bytes. */
  readonly key: Buffer;
  readonly issuer: string;
  readonly now: () => number;
}

const period = 30;
const digits = 6;
const secretBytes = 20;
/** Codes of the time step before and after are taken as well, for clocks that differ. */
const tolerance = 1;
const recoveryCount = 10;
const recoveryBytes = 10;
/** Milliseconds in which what was set up must be confirmed. */
const setupLife = 15 * 60_000;
const everywhere = "everywhere";
/** CouchDB's names. */
const algorithms: Readonly<Record<string, string>> = { sha: "SHA1", sha1: "SHA1", sha256: "SHA256", sha512: "SHA512" };

export class SecondFactors {
  readonly #parts: SecondFactorsParts;

  constructor(parts: SecondFactorsParts) {
    this.#parts = parts;
  }

  /**
   * To be called when the password was right. Nothing to do for who has no second factor.
   * @throws CouchError unauthorized, with `totp: true` in its body when no code came; forbidden when locked out
   */
  async check(principal: Principal, code: string | undefined, address = everywhere): Promise<void> {
    const { name, secondFactor } = principal;
    if (!secondFactor) return;
    if (code === undefined || code === "") {
      throw new CouchError("unauthorized", "A one-time code is required.", { detail: { totp: true } });
    }
    const { throttle } = this.#parts;
    const attempt = { name, address: everywhere };
    throttle.check(attempt, undefined);
    throttle.attempt(attempt, undefined);
    const used = await this.#use(name, code);
    if (!used) throw new CouchError("unauthorized", "The one-time code is not valid.", { detail: { totp: true } });
    throttle.succeeded(attempt, undefined);
    if (used === "recovery") await this.#parts.activity.record(name, "recovery_code_used", address);
  }

  /** A new secret for the app, in force once `enable` got a code made of it. @throws CouchError conflict */
  async setUp(name: UserName): Promise<{ readonly secret: string; readonly uri: string }> {
    const { accounts, key, now, issuer } = this.#parts;
    const secret = new Secret({ size: secretBytes });
    const pending = { sealed: seal(key, secret.base32, `second factor of ${name}`), expires_at: now() + setupLife };
    await accounts.change(name, ({ secondFactor }) => {
      if (secondFactor) throw new CouchError("conflict", "There is a second factor already.");
      return { totp_pending: pending };
    });
    const uri = new TOTP({ issuer, label: name, secret, period, digits }).toString();
    return { secret: secret.base32, uri };
  }

  /** @returns recovery codes, which are told now and never again. @throws CouchError conflict, forbidden */
  async enable(name: UserName, code: string, { address }: Asker): Promise<readonly string[]> {
    const { accounts, now } = this.#parts;
    const codes = newRecoveryCodes();
    await accounts.change(name, ({ secondFactor }, { totp_pending: pending }) => {
      if (secondFactor) throw new CouchError("conflict", "There is a second factor already.");
      const { sealed, expires_at: expiresAt } = (pending ?? {}) as { sealed?: string; expires_at?: number };
      if (sealed === undefined || expiresAt === undefined || expiresAt <= now()) {
        throw new CouchError("conflict", "Set the second factor up first.");
      }
      const step = this.#stepOf({ sealed }, name, code);
      if (step === undefined) throw new CouchError("forbidden", "The one-time code is not valid.");
      const totp = { sealed, algorithm: "sha", last_step: step, recovery: codes.map(hashOf) };
      return { totp, totp_pending: undefined };
    });
    await this.#parts.activity.record(name, "second_factor_enabled", address);
    return codes;
  }

  /** New ones; those before are worth nothing. @throws CouchError conflict */
  async renewRecoveryCodes(name: UserName): Promise<readonly string[]> {
    const codes = newRecoveryCodes();
    await this.#parts.accounts.change(name, ({ secondFactor }) => {
      if (!secondFactor) throw new CouchError("conflict", "There is no second factor.");
      return { totp: { ...secondFactor, recovery: codes.map(hashOf) } };
    });
    return codes;
  }

  async disable(name: UserName, { address }: Asker, by?: string): Promise<void> {
    await this.#parts.accounts.change(name, ({ secondFactor }) => {
      return secondFactor && { totp: undefined, totp_pending: undefined };
    });
    await this.#parts.activity.record(name, "second_factor_disabled", address, by);
  }

  async #use(name: UserName, code: string): Promise<"app" | "recovery" | undefined> {
    let used: "app" | "recovery" | undefined;
    await this.#parts.accounts.change(name, ({ secondFactor }) => {
      used = undefined;
      if (!secondFactor) return undefined;
      const step = this.#stepOf(secondFactor, name, code);
      if (step !== undefined && step > (secondFactor.last_step ?? 0)) {
        used = "app";
        return { totp: { ...secondFactor, last_step: step } };
      }
      const { recovery = [] } = secondFactor;
      const hash = hashOf(code);
      if (!Array.isArray(recovery) || !recovery.includes(hash)) return undefined;
      used = "recovery";
      return { totp: { ...secondFactor, recovery: recovery.filter((each) => each !== hash) } };
    });
    return used;
  }

  /** The time step that the code is of; undefined when it is none of now. */
  #stepOf(stored: StoredSecondFactor, name: UserName, code: string): number | undefined {
    const { key, now } = this.#parts;
    const base32 = stored.sealed === undefined ? stored.key : unseal(key, stored.sealed, `second factor of ${name}`);
    const algorithm = algorithms[stored.algorithm ?? "sha"];
    if (typeof base32 !== "string" || algorithm === undefined || !/^\d{6}$/.test(code)) return undefined;
    const timestamp = now();
    let secret: Secret;
    try {
      secret = Secret.fromBase32(base32);
    } catch {
      return undefined;
    }
    const delta = TOTP.validate({ token: code, secret, algorithm, digits, period, timestamp, window: tolerance });
    return delta === null ? undefined : Math.floor(timestamp / 1000 / period) + delta;
  }
}

/** 80 bits each: there is nothing to gain by guessing, nor by a slow hash. */
function newRecoveryCodes(): readonly string[] {
  return Array.from({ length: recoveryCount }, () => {
    const { buffer } = new Uint8Array(randomBytes(recoveryBytes));
    return (new Secret({ buffer }).base32.match(/.{4}/g) as string[]).join("-");
  });
}

function hashOf(code: string): string {
  return createHash("sha256").update(code.toUpperCase().replace(/[\s-]/g, "")).digest("hex");
}
