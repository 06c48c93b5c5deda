/** A whole server inside the test's process: quicker than a process of its own, where nothing needs one. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ConfigInput, completeConfig } from "../../server/config.js";
import { Settee } from "../../server/settee.js";
import { basic, HttpClient } from "./http-client.js";

export interface SetteeHere {
  readonly url: string;
  readonly settee: Settee;
  /** Asks as nobody. */
  readonly client: HttpClient;
  readonly adminAuthorization: string;
  close(): Promise<void>;
}

export async function startSetteeHere(settings: ConfigInput = {}): Promise<SetteeHere> {
  const dataDir = mkdtempSync(join(tmpdir(), "settee-here-"));
  const password = "a-long-password-for-tests";
  const config = completeConfig({
    port: 0,
    dataDir,
    adminPassword: password,
    passwordIterations: 10,
    logLevel: "silent",
    ...settings,
  });
  const settee = await Settee.create(config);
  const url = await settee.listen();
  const client = new HttpClient(url);
  return {
    url,
    settee,
    client,
    adminAuthorization: basic("admin", password),
    async close() {
      client.close();
      await settee.close();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
