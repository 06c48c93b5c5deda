/** Accounts and mail: settings in the gateway's own terms, and what they name read from disk. */
import { type Config, ConfigError } from "./config.js";
import type { AccountOptions } from "./gateway/accounts/account-options.js";
import type { MailOptions } from "./gateway/accounts/account-services.js";
import { HooksError, loadHooks } from "./gateway/accounts/hooks.js";
import { profileSchemaOf } from "./gateway/accounts/profile.js";
import type { GatewayOptions } from "./gateway/gateway-options.js";
import { MailTemplateError, MailTemplates } from "./gateway/mail/mail-templates.js";
import { DevelopmentMailbox, type MailTransport, smtpTransport } from "./gateway/mail/mail-transport.js";
import type { Logger } from "./logging.js";

const minute = 60_000;

/** @param publicUrl where users reach the server. @throws ConfigError */
export async function peopleOptions(
  config: Config,
  log: Logger,
  publicUrl: () => string,
): Promise<Required<Pick<GatewayOptions, "accounts" | "mail">>> {
  return { accounts: await accountOptions(config), mail: await mailOptions(config, log, publicUrl) };
}

async function accountOptions({ accounts, mail }: Config): Promise<AccountOptions> {
  const { signUp, requireEmail, requireVerifiedEmail, minPasswordLength, anonymous, magicLinks } = accounts;
  const { verifyEmail, resetPassword, magicLink, invitation } = accounts.links;
  return {
    signUp,
    requireEmail,
    requireVerifiedEmail,
    minPasswordLength,
    anonymous,
    magicLinks,
    profile: accounts.profile && profileSchemaOf(accounts.profile),
    hooks: accounts.hooks === undefined ? {} : await named(loadHooks(accounts.hooks)),
    deleteDatabases: accounts.deleteDatabases,
    tokenLives: {
      "verify-email": accounts.verifyEmailHours * 60 * minute,
      "reset-password": accounts.resetPasswordMinutes * minute,
      "magic-link": accounts.magicLinkMinutes * minute,
    },
    links: {
      ...(verifyEmail !== undefined && { "verify-email": verifyEmail }),
      ...(resetPassword !== undefined && { "reset-password": resetPassword }),
      ...(magicLink !== undefined && { "magic-link": magicLink }),
      ...(invitation !== undefined && { invitation }),
    },
    appUrl: accounts.appUrl,
    mailsPerHour: mail.perAddressPerHour,
    totpIssuer: accounts.totpIssuer,
  };
}

async function mailOptions({ mail }: Config, log: Logger, publicUrl: () => string): Promise<MailOptions> {
  const { smtp, from, templates: folder, locale } = mail;
  const templates =
    folder === undefined ? MailTemplates.shipped(locale) : await named(MailTemplates.load(folder, locale));
  return { transport: transportOf(smtp, log), templates, from, publicUrl };
}

function transportOf(smtp: string | undefined, log: Logger): MailTransport {
  if (smtp !== undefined) return smtpTransport(smtp);
  // No server to send them with: whoever develops an app reads them here.
  return new DevelopmentMailbox(
    ({ to, subject, text }) => log.info({ to, subject, text }, "a mail, which is not sent"),
    Date.now,
  );
}

/** Files that the operator names and that are not as they should be stop the start like any other setting. */
async function named<T>(loading: Promise<T>): Promise<T> {
  try {
    return await loading;
  } catch (error) {
    if (error instanceof HooksError || error instanceof MailTemplateError)
      throw new ConfigError(error.message, { cause: error });
    throw error;
  }
}
