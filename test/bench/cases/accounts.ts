import { equal } from "node:assert/strict";
import { createHash, pbkdf2, pbkdf2Sync, randomBytes } from "node:crypto";
import { availableParallelism } from "node:os";
import { promisify } from "node:util";
import type { BenchCase, CaseContext } from "../bench-case.js";
import { quantile } from "../load/quantile.js";

const iterations = 600_000;
const password = "correct horse battery";
const derive = promisify(pbkdf2);

/** Sign-ups beside what the password hash alone costs on the same processors; `--only sign-ups`. */
export const signUps: BenchCase = {
  id: "sign-ups",
  onRequest: true,
  rows: [
    { id: "sign-ups", label: "sign-ups with an address, 16 clients", unit: "sign-ups/s" },
    { id: "sign-ups-share", label: "share of what the password hash alone allows", unit: "%", goal: 90 },
  ],
  async run({ load, quick }) {
    const count = quick ? 16 : 60;
    const rounds = quick ? 1 : 3;
    const shares: number[] = [];
    let rate = 0;
    await load.ask("GET", "/");
    for (let round = 0; round < rounds; round++) {
      const alone = await hashesPerSecond(count);
      const requests = Array.from({ length: count }, (_, index) => {
        const name = `${round}-${index}-${randomBytes(6).toString("hex")}`;
        return load.prepare("POST", "/_settee/signup", { name, password, email: `${name}@example.org` });
      });
      const { sent, seconds } = await load.run(requests, 16);
      rate = sent / seconds;
      shares.push((rate / alone) * 100);
    }
    return { "sign-ups": rate, "sign-ups-share": quantile(shares, 0.5) };
  },
};

/** What a log-in costs among ten accounts and among 100,000; `--only log-ins`. */
export const logIns: BenchCase = {
  id: "log-ins",
  onRequest: true,
  rows: [
    { id: "log-in-ten", label: "log-in by name, ten accounts", unit: "ms", lessIsBetter: true },
    { id: "log-in-ten-email", label: "log-in by address, ten accounts", unit: "ms", lessIsBetter: true },
    { id: "log-in-many", label: "log-in by name, 100,000 accounts", unit: "ms", lessIsBetter: true },
    { id: "log-in-many-email", label: "log-in by address, 100,000 accounts", unit: "ms", lessIsBetter: true },
  ],
  async run(context) {
    const count = context.quick ? 5000 : 100_000;
    await fillAccounts(context, 0, 10);
    const few = Array.from({ length: 10 }, (_, index) => index);
    const ten = await median(context, few.slice(0, 5), nameOf);
    const tenByEmail = await median(context, few.slice(5), emailOf);
    await fillAccounts(context, 10, count);
    const step = Math.floor((count - 10) / 40);
    const many = Array.from({ length: 40 }, (_, index) => 10 + index * step);
    return {
      "log-in-ten": ten,
      "log-in-ten-email": tenByEmail,
      "log-in-many": await median(context, many.slice(0, 20), nameOf),
      "log-in-many-email": await median(context, many.slice(20), emailOf),
    };
  },
};

const nameOf = (index: number): string => `user-${String(index).padStart(6, "0")}`;
const emailOf = (index: number): string => `${nameOf(index)}@example.org`;

/** Each once: a password that was right is remembered. */
async function median({ load }: CaseContext, indices: readonly number[], loginOf: (index: number) => string) {
  const times: number[] = [];
  for (const index of indices) {
    const request = load.prepare("POST", "/_session", { name: loginOf(index), password });
    const { seconds, last } = await load.run([request], 1);
    equal(last.json().name, nameOf(index));
    times.push(seconds * 1000);
  }
  return quantile(times, 0.5);
}

/** One hash for all: 100,000 of them would take hours. */
async function fillAccounts({ fill }: CaseContext, from: number, to: number): Promise<void> {
  const salt = randomBytes(16).toString("hex");
  const derived_key = pbkdf2Sync(password, salt, iterations, 32, "sha256").toString("hex");
  const hash = { password_scheme: "pbkdf2", pbkdf2_prf: "sha256", derived_key, salt, iterations };
  const indices = Array.from({ length: to - from }, (_, index) => from + index);
  await fill(
    "/_users",
    indices.map((index) => {
      const name = nameOf(index);
      const verified_email = emailOf(index);
      return { _id: `org.couchdb.user:${name}`, type: "user", name, roles: [], verified_email, ...hash };
    }),
  );
  await fill(
    "/settee_accounts",
    indices.map((index) => ({
      _id: `email-${createHash("sha256").update(emailOf(index)).digest("hex")}`,
      user: nameOf(index),
      claimedAt: Date.now(),
    })),
  );
}

async function hashesPerSecond(count: number): Promise<number> {
  const started = performance.now();
  let left = count;
  const work = async (): Promise<void> => {
    while (left-- > 0) await derive(password, randomBytes(16).toString("hex"), iterations, 32, "sha256");
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  return count / ((performance.now() - started) / 1000);
}
