/**
 * Lets the `settee` command ask a running server, as a server administrator: whoever can read the server's secret owns the
 * server. `Authorization: Settee-Operator EXPIRES.HMAC`.
 */
import { createHmac } from "node:crypto";
import { sameSecret } from "./constant-time.js";

export const operatorScheme = "Settee-Operator ";
/** Seconds: long enough for one request between two processes of one machine. */
const life = 60;
const form = /^(\d{1,12})\.([0-9a-f]{64})$/;

/** @param key derived from the server's secret. @param now milliseconds since 1970. @returns an `Authorization` header */
export function operatorAuthorization(key: Buffer, now: number): string {
  const expires = String(Math.floor(now / 1000) + life);
  return `${operatorScheme}${expires}.${sign(key, expires)}`;
}

export function isOperator(authorization: string, key: Buffer, now: number): boolean {
  const [, expires = "", signature = ""] = form.exec(authorization.slice(operatorScheme.length)) ?? [];
  if (!sameSecret(signature, sign(key, expires))) return false;
  const left = Number(expires) - now / 1000;
  return left > 0 && left <= life;
}

function sign(key: Buffer, expires: string): string {
  return createHmac("sha256", key).update(expires).digest("hex");
}
