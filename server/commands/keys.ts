import { keptSecret } from "../config/data-directory.js";
import { type Config, loadConfig } from "../config.js";
import { operatorAuthorization } from "../gateway/operator-token.js";
import { keyFor } from "../gateway/sessions/sessions-part.js";
import { Settee } from "../settee.js";
import { StoreUnavailable } from "../storage/level-store.js";
import { type Command, UsageError } from "./command.js";
import { showMadeAdmin } from "./made-admin.js";

export const keys: Command = {
  usage: `keys rotate
                a new key signs access tokens, the one before verifies until its tokens have expired; through the running server
                if there is one`,
  async run(args) {
    if (args.join(" ") !== "rotate") throw new UsageError();
    try {
      const kid = await rotateKeys(loadConfig(process.env, process.cwd()));
      process.stdout.write(`The key ${kid} signs access tokens now.\n`);
      return 0;
    } catch (error) {
      if (!(error instanceof NotRotated)) throw error;
      process.stderr.write(`${error.message}\n`);
      return 1;
    }
  },
};

/** The message is for the operator. */
class NotRotated extends Error {}

/** In the data directory itself or, when a server has it open, through that server. @returns the new key's name. @throws NotRotated */
async function rotateKeys(config: Config): Promise<string> {
  let settee: Settee;
  try {
    settee = await Settee.create(config);
  } catch (error) {
    if (error instanceof StoreUnavailable) return rotateKeysOfRunning(config);
    throw error;
  }
  // The very first start may be this one.
  showMadeAdmin(settee);
  try {
    return await settee.rotateKeys();
  } finally {
    await settee.close();
  }
}

async function rotateKeysOfRunning({ host, port, dataDir, secret = keptSecret(dataDir) }: Config): Promise<string> {
  const here = host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host;
  const url = `http://${here.includes(":") ? `[${here}]` : here}:${port}/_settee/keys/rotate`;
  const authorization = operatorAuthorization(keyFor("operator", secret), Date.now());
  const headers = { authorization, "content-type": "application/json" };
  const reply = await fetch(url, { method: "POST", headers, body: "{}" }).catch((error: unknown) => {
    throw new NotRotated(`A server has ${dataDir} open, but there is none at ${url}.`, { cause: error });
  });
  const answer = (await reply.json().catch(() => ({}))) as { readonly kid?: string; readonly reason?: string };
  if (reply.ok && answer.kid !== undefined) return answer.kid;
  throw new NotRotated(`${url} answered ${reply.status}: ${answer.reason ?? "something else"}`);
}
