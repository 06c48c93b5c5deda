/** A whole server with a shared database of ada's: `const { as, name } = await startSharedServer({ bob: "reader" })`. */
import type { DatabaseRole } from "../../protocol/sharing.js";
import type { ConfigInput } from "../../server/config.js";
import { basic, HttpClient } from "./http-client.js";
import { type SetteeHere, startSetteeHere } from "./settee-here.js";

export const password = "correct horse battery";

export interface SharedServer {
  readonly here: SetteeHere;
  readonly url: string;
  readonly admin: HttpClient;
  /** Asks as nobody. */
  readonly guest: HttpClient;
  /** The shared database. */
  readonly name: string;
  /** Asks as a user, who is signed up when they ask first. */
  as(user: string): Promise<HttpClient>;
  close(): Promise<void>;
}

export async function startSharedServer(
  members: Readonly<Record<string, DatabaseRole>> = {},
  settings: ConfigInput = {},
): Promise<SharedServer> {
  const here = await startSetteeHere(settings);
  const clients = new Map<string, Promise<HttpClient>>();
  const signUp = async (user: string): Promise<HttpClient> => {
    await here.client.expect(201, "POST", "/_settee/signup", { body: { name: user, password } });
    return new HttpClient(here.url, basic(user, password));
  };
  const as = (user: string): Promise<HttpClient> => {
    const client = clients.get(user) ?? signUp(user);
    clients.set(user, client);
    return client;
  };
  const ada = await as("ada");
  const body = { template: "shared", title: "Plans" };
  const { name } = (await ada.expect(201, "POST", "/_settee/databases", { body })).json();
  for (const [user, role] of Object.entries(members)) {
    await as(user);
    await ada.expect(200, "PUT", `/_settee/databases/${name}/members/${user}`, { body: { role } });
  }
  const admin = new HttpClient(here.url, here.adminAuthorization);
  return {
    here,
    url: here.url,
    admin,
    guest: here.client,
    name,
    as,
    async close() {
      for (const client of clients.values()) (await client).close();
      admin.close();
      await here.close();
    },
  };
}
