/** Kills a server again and again under load, and asks each time whether it kept its promises. */
import { HttpClient } from "../helpers/http-client.js";
import type { ServerProcess } from "../helpers/server-process.js";
import { Follower } from "./follower.js";
import { Ledger } from "./ledger.js";
import { Random } from "./random.js";
import { verifyLedger, verifyListings } from "./verify.js";
import { runWriters, type WriterWorld } from "./writers.js";

export interface SoakOptions {
  readonly server: ServerProcess;
  readonly authorization?: string;
  readonly kills: number;
  readonly seed: number;
  readonly log?: (line: string) => void;
}

export interface SoakReport {
  readonly acknowledged: number;
  readonly documents: number;
  /** Kills that hit an attachment on its way. */
  readonly killsInAttachments: number;
}

const database = "/soak";

/** @throws AssertionError naming the first promise that was broken, Error when the server does not come back */
export async function killSoak({ server, authorization, kills, seed, log }: SoakOptions): Promise<SoakReport> {
  const random = new Random(seed);
  const ledger = new Ledger();
  const follower = new Follower();
  let killsInAttachments = 0;
  const withClient = async <T>(use: (client: HttpClient) => Promise<T>): Promise<T> => {
    const client = new HttpClient(server.url, authorization);
    try {
      return await use(client);
    } finally {
      client.close();
    }
  };
  const verify = (ids: readonly string[]) =>
    withClient(async (client) => {
      await verifyLedger(client, database, ledger, ids);
      await verifyListings(client, database, ledger);
    });

  await withClient((client) => client.expect(201, "PUT", database));
  for (let kill = 1; kill <= kills; kill += 1) {
    const life = await withClient((client) => killedUnderLoad({ server, client, ledger, random, follower }, kill));
    killsInAttachments += life.attachmentsInFlight > 0 ? 1 : 0;
    await server.restart();
    await verify(ledger.takeTouched());
    log?.(`kill ${kill}: ${ledger.count} acknowledged, ${life.attachmentsInFlight} attachments were on their way`);
  }
  await verify(ledger.ids());
  await withClient((client) => follower.verify(client, database));
  // What recovery repaired in memory alone would be missing after an orderly stop.
  await server.restart();
  await verify(ledger.ids());
  return { acknowledged: ledger.count, documents: ledger.ids().length, killsInAttachments };
}

interface Life {
  readonly server: ServerProcess;
  readonly client: HttpClient;
  readonly ledger: Ledger;
  readonly random: Random;
  readonly follower: Follower;
}

/** One life of the server: load, and a kill at a moment of chance. Resolves when every writer has noticed. */
async function killedUnderLoad(life: Life, generation: number): Promise<{ readonly attachmentsInFlight: number }> {
  const { server, client, ledger, random, follower } = life;
  const target = ledger.count + 20 + random.below(800);
  // Every other time at least one attachment must be on its way: between its file and its commit is the worst moment.
  const wantsAttachment = generation % 2 === 0;
  let attachmentsInFlight = 0;
  let stopped = false;
  let strike = (): void => {};
  const moment = new Promise<void>((resolve) => {
    strike = resolve;
  });
  const world: WriterWorld = {
    client,
    database,
    ledger,
    random,
    stopped: () => stopped,
    progress(attachments) {
      attachmentsInFlight += attachments;
      if (ledger.count >= target && (!wantsAttachment || attachmentsInFlight > 0)) strike();
    },
  };
  const writing = runWriters(world, generation);
  const following = follower.follow(client, database, () => stopped);
  await Promise.race([moment, writing.then(() => Promise.reject(new Error("the server went away by itself")))]);
  // Acknowledgements come in groups, just after a commit: some turns later any other moment is as likely.
  for (let turns = random.below(40); turns > 0; turns -= 1) await new Promise(setImmediate);
  const hit = attachmentsInFlight;
  stopped = true;
  await server.kill();
  await Promise.all([writing, following]);
  return { attachmentsInFlight: hit };
}
