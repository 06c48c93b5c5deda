/**
 * The operator's own code: a module that the setting `accounts.hooks` names and that is loaded at the start. A hook that
 * throws refuses what was about to happen, with the message of its error as the reason.
 */
import { pathToFileURL } from "node:url";
import { CouchError } from "../../../protocol/errors.js";
import type { MailKind } from "../mail/mail-queue.js";
import type { MailText } from "../mail/mail-templates.js";

export interface SignUpFacts {
  readonly name: string;
  readonly email?: string;
  readonly profile?: unknown;
  readonly invitation?: string;
  /** Where the request came from. */
  readonly address: string;
}

export interface AccountHooks {
  /** Before an account is made; may give roles to it. */
  readonly beforeSignUp?: (facts: SignUpFacts) => Promise<{ readonly roles?: readonly string[] } | undefined>;
  /** After it was made; what it throws is logged and changes nothing. */
  readonly afterSignUp?: (facts: SignUpFacts) => Promise<void>;
  /** Before a mail is sent; may give another text. */
  readonly beforeMail?: (
    mail: MailText & { readonly kind: MailKind; readonly to: string },
  ) => Promise<Partial<MailText> | undefined>;
}

const names = ["beforeSignUp", "afterSignUp", "beforeMail"] as const;
/** Milliseconds: a hook that hangs must not hold requests for ever. */
const patience = 10_000;
const maxReason = 500;

/** The module of hooks is not as it should be. The message is for the operator. */
export class HooksError extends Error {}

/** @param path absolute. @throws HooksError */
export async function loadHooks(path: string): Promise<AccountHooks> {
  let module: Readonly<Record<string, unknown>>;
  try {
    module = (await import(pathToFileURL(path).href)) as Record<string, unknown>;
  } catch (error) {
    throw new HooksError(`accounts.hooks: ${path} could not be loaded: ${(error as Error).message}`, { cause: error });
  }
  const unknown = Object.keys(module).filter((name) => name !== "default" && !names.includes(name as "afterSignUp"));
  if (unknown.length > 0)
    throw new HooksError(`accounts.hooks: ${path} exports ${unknown.join(", ")}, which is no hook.`);
  for (const name of names) {
    if (module[name] !== undefined && typeof module[name] !== "function") {
      throw new HooksError(`accounts.hooks: ${name} in ${path} is no function.`);
    }
  }
  return module as AccountHooks;
}

/** Runs a hook that may refuse. @throws CouchError forbidden with the hook's reason */
export async function ask<Facts, Answer>(
  hook: ((facts: Facts) => Promise<Answer>) | undefined,
  facts: Facts,
): Promise<Answer | undefined> {
  if (!hook) return undefined;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("This takes too long. Try again later.")), patience);
  });
  try {
    return await Promise.race([hook(facts), late]);
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    throw new CouchError("forbidden", words.slice(0, maxReason), { cause: error });
  } finally {
    clearTimeout(timer);
  }
}
