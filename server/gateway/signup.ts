/** `POST /_settee/signup`: an account, and the database that belongs to it. */
import { parseSignUpRequest, type SignUpReply } from "../../protocol/account.js";
import { CouchError } from "../../protocol/errors.js";
import type { Backend } from "../backend/backend.js";
import type { Accounts } from "./accounts.js";
import { userDatabaseName } from "./database-names.js";
import type { PasswordHasher } from "./password-hasher.js";
import type { Principals } from "./principals.js";
import { addWanted, type Provisioning } from "./provisioning.js";
import { isConflict } from "./retry-conflicts.js";

export interface SignUpParts {
  readonly backend: Backend;
  readonly principals: Principals;
  readonly accounts: Accounts;
  readonly hasher: PasswordHasher;
  readonly provisioning: Provisioning;
}

/** @throws CouchError bad_request with one reason for each bad field, conflict when the name is taken */
export async function signUp(body: unknown, parts: SignUpParts): Promise<SignUpReply> {
  const { name, password, email } = parseSignUpRequest(body);
  const database = userDatabaseName(name);
  if (await parts.principals.find(name)) throw nameTaken();
  // The database of a former user of that name: its new owner must not be whoever signs up first.
  if (await parts.backend.databaseExists(database)) throw nameTaken();

  const account = {
    name,
    password: await parts.hasher.hash(password),
    ...(email !== undefined && { email }),
    databases: addWanted([], database),
  };
  try {
    await parts.accounts.create(account);
  } catch (error) {
    throw isConflict(error) ? nameTaken() : error;
  }
  await parts.provisioning.finish(name);
  return { ok: true, name, database };
}

function nameTaken(): CouchError {
  return new CouchError("conflict", "The name is taken.");
}
