/** A whole server with database `notes`, design document `app` in it, and two accounts: `const { admin, ada, eve } = await startCouchapp(app)`. */
import type { ConfigInput } from "../../server/config.js";
import { basic, HttpClient } from "./http-client.js";
import { type SetteeHere, startSetteeHere } from "./settee-here.js";

const password = "correct horse battery";

export interface Couchapp {
  readonly here: SetteeHere;
  readonly admin: HttpClient;
  /** A member of the database. */
  readonly ada: HttpClient;
  /** Has an account, and nothing to do with the database. */
  readonly eve: HttpClient;
  close(): Promise<void>;
}

export async function startCouchapp(app: object, settings: ConfigInput = {}): Promise<Couchapp> {
  const here = await startSetteeHere(settings);
  const clients: HttpClient[] = [];
  const as = (authorization: string): HttpClient => {
    const client = new HttpClient(here.url, authorization);
    clients.push(client);
    return client;
  };
  const admin = as(here.adminAuthorization);
  for (const name of ["ada", "eve"]) {
    await here.client.expect(201, "POST", "/_settee/signup", { body: { name, password } });
  }
  await admin.expect(201, "PUT", "/notes");
  await admin.expect(200, "PUT", "/notes/_security", { body: { admins: {}, members: { names: ["ada"] } } });
  await admin.expect(201, "PUT", "/notes/_design/app", { body: app });
  return {
    here,
    admin,
    ada: as(basic("ada", password)),
    eve: as(basic("eve", password)),
    async close() {
      for (const client of clients) client.close();
      await here.close();
    },
  };
}
