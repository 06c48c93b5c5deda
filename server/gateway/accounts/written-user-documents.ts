/** Accounts that are made and changed by writing to `_users`, as pouchdb-authentication does: the same rules and mails. */
import { isDeepStrictEqual } from "node:util";
import type { Identity } from "../../../protocol/security.js";
import type { JsonDocument } from "../../backend/backend.js";
import { accountOf } from "../accounts.js";
import type { Fingerprints } from "../sessions/fingerprints.js";
import { isRegistration } from "../user-documents.js";
import type { AccountOptions } from "./account-options.js";
import type { Mails } from "./mails.js";
import { passwordFingerprint } from "./password-fingerprint.js";
import { checkedProfile } from "./profile.js";
import type { Asker, SignUps } from "./sign-ups.js";

export interface WrittenUserDocumentsParts {
  readonly signUps: SignUps;
  readonly mails: Mails;
  readonly fingerprints: Fingerprints;
  readonly options: AccountOptions;
}

export interface UserDocumentWrite {
  /** As it may be stored by the rules of user documents. */
  readonly prepared: JsonDocument;
  /** As it came. */
  readonly newDocument: JsonDocument;
  readonly oldDocument: JsonDocument | undefined;
  readonly identity: Identity;
  readonly asker: Asker;
}

export class WrittenUserDocuments {
  readonly #parts: WrittenUserDocumentsParts;

  constructor(parts: WrittenUserDocumentsParts) {
    this.#parts = parts;
  }

  /** @returns what to store. @throws CouchError forbidden, conflict, bad_request */
  async admit({ prepared, newDocument, oldDocument, identity, asker }: UserDocumentWrite): Promise<JsonDocument> {
    const { signUps, mails, fingerprints, options } = this.#parts;
    if (isRegistration(newDocument, oldDocument, identity)) return signUps.admitRegistration(prepared, asker);
    const account = accountOf(prepared);
    if (!account || !oldDocument || prepared._deleted) return prepared;
    if (
      options.profile &&
      identity.name === account.name &&
      !isDeepStrictEqual(prepared.profile, oldDocument.profile)
    ) {
      checkedProfile(options.profile, prepared.profile);
    }
    const isNewPassword = account.password?.salt !== accountOf(oldDocument)?.password?.salt;
    // Before the write: without it the mail is not sent.
    if (isNewPassword) await mails.passwordChanged(account.name, passwordFingerprint(fingerprints, account), asker);
    return prepared;
  }
}
