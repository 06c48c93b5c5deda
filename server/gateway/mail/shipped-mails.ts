/** The mails as they come. A deployment replaces any of them by files: `mail-templates.ts`. */
import type { MailKind } from "./mail-queue.js";

export interface ShippedMail {
  readonly subject: string;
  readonly paragraphs: readonly string[];
  /** Words of the link, which stands behind the first paragraph. */
  readonly action?: string;
}

const english: Readonly<Record<MailKind, ShippedMail>> = {
  "verify-email": {
    subject: "Please confirm your address",
    paragraphs: [
      "Hello {{name}}, please confirm that {{address}} is your address.",
      "The link works once, and for {{hours}} hours. If you did not ask for this mail, ignore it.",
    ],
    action: "Confirm the address",
  },
  "already-registered": {
    subject: "You have an account already",
    paragraphs: [
      "Somebody, probably you, gave {{address}} at {{server}} as the address of an account. It belongs to an account already: log in with it, or ask for a new password there.",
      "If it was not you, ignore this mail: nothing has changed.",
    ],
  },
  "reset-password": {
    subject: "A new password",
    paragraphs: [
      "Hello {{name}}, choose a new password here.",
      "The link works once, and for {{minutes}} minutes. If you did not ask for this mail, ignore it: your password stays as it is.",
    ],
    action: "Choose a new password",
  },
  "magic-link": {
    subject: "Your link to log in",
    paragraphs: [
      "Hello {{name}}, this link logs you in.",
      "It works once, and for {{minutes}} minutes. If you did not ask for this mail, ignore it.",
    ],
    action: "Log in",
  },
  "password-changed": {
    subject: "Your password was changed",
    paragraphs: [
      "Hello {{name}}, the password of your account at {{server}} was changed.",
      "If it was not you, ask for a new password at once: that ends every session.",
    ],
  },
  "email-changed": {
    subject: "Your address was changed",
    paragraphs: [
      "Hello {{name}}, your account at {{server}} has another address now: {{new_address}}. This is the last mail to {{address}}.",
      "If it was not you, write to whoever runs {{server}}.",
    ],
  },
  invitation: {
    subject: "You are invited",
    paragraphs: ["You are invited to make an account at {{server}}.", "If you do not know why, ignore this mail."],
    action: "Make an account",
  },
};

const german: Readonly<Record<MailKind, ShippedMail>> = {
  "verify-email": {
    subject: "Bitte bestätige deine Adresse",
    paragraphs: [
      "Hallo {{name}}, bitte bestätige, dass {{address}} deine Adresse ist.",
      "Der Link gilt einmal und {{hours}} Stunden lang. Wenn du diese Mail nicht angefordert hast, beachte sie nicht.",
    ],
    action: "Adresse bestätigen",
  },
  "already-registered": {
    subject: "Du hast schon ein Konto",
    paragraphs: [
      "Jemand, vermutlich du, hat bei {{server}} {{address}} als Adresse eines Kontos angegeben. Sie gehört schon zu einem Konto: Melde dich damit an, oder fordere dort ein neues Passwort an.",
      "Wenn du das nicht warst, beachte diese Mail nicht: Es hat sich nichts geändert.",
    ],
  },
  "reset-password": {
    subject: "Ein neues Passwort",
    paragraphs: [
      "Hallo {{name}}, hier kannst du ein neues Passwort wählen.",
      "Der Link gilt einmal und {{minutes}} Minuten lang. Wenn du diese Mail nicht angefordert hast, beachte sie nicht: Dein Passwort bleibt, wie es ist.",
    ],
    action: "Neues Passwort wählen",
  },
  "magic-link": {
    subject: "Dein Link zum Anmelden",
    paragraphs: [
      "Hallo {{name}}, dieser Link meldet dich an.",
      "Er gilt einmal und {{minutes}} Minuten lang. Wenn du diese Mail nicht angefordert hast, beachte sie nicht.",
    ],
    action: "Anmelden",
  },
  "password-changed": {
    subject: "Dein Passwort wurde geändert",
    paragraphs: [
      "Hallo {{name}}, das Passwort deines Kontos bei {{server}} wurde geändert.",
      "Wenn du das nicht warst, fordere gleich ein neues Passwort an: Das beendet jede Sitzung.",
    ],
  },
  "email-changed": {
    subject: "Deine Adresse wurde geändert",
    paragraphs: [
      "Hallo {{name}}, dein Konto bei {{server}} hat jetzt eine andere Adresse: {{new_address}}. Das ist die letzte Mail an {{address}}.",
      "Wenn du das nicht warst, schreibe denen, die {{server}} betreiben.",
    ],
  },
  invitation: {
    subject: "Du bist eingeladen",
    paragraphs: [
      "Du bist eingeladen, bei {{server}} ein Konto anzulegen.",
      "Wenn du nicht weißt, warum, beachte diese Mail nicht.",
    ],
    action: "Konto anlegen",
  },
};

/** By language. */
export const shippedMails: ReadonlyMap<string, Readonly<Record<MailKind, ShippedMail>>> = new Map([
  ["en", english],
  ["de", german],
]);
