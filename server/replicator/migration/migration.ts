/** Moves databases from one server to another, several at a time, and verifies each when it is there. */
import { isDesignDocId } from "../../../protocol/ids.js";
import { asReplicationError } from "../failures.js";
import type { Refusal, Source } from "../peer.js";
import { parseReplication, type Replication } from "../replication.js";
import { replicationId } from "../replication-id.js";
import { Session, type SessionParts } from "../session.js";
import type { ServerEnd } from "./server-end.js";
import { arrived, type VerifiedDatabase, verifyDatabase } from "./verify.js";

export interface MigrationOptions {
  readonly from: ServerEnd;
  readonly to: ServerEnd;
  readonly names: readonly string[];
  /** Databases on their way at the same time. */
  readonly atOnce: number;
  readonly signal: AbortSignal;
  readonly progress: (progress: MigrationProgress) => void;
  readonly finished: (database: MigratedDatabase) => void;
}

export interface MigrationProgress {
  readonly databases: number;
  readonly documents: number;
}

export interface MigratedDatabase {
  readonly name: string;
  readonly verified: boolean;
  readonly found?: VerifiedDatabase;
  /** Documents that the target refused, with its words; the first of them. */
  readonly refused: readonly string[];
  readonly refusedCount: number;
  readonly error?: string;
  /** What the operator should know although all is well. */
  readonly notes: readonly string[];
}

/** A source that is written to meanwhile is asked again what has changed. */
const mostPasses = 3;
const shownRefusals = 20;
/** Names these replications on both sides, whichever server runs them: a migration can be gone on with from anywhere. */
const migrationId = "settee-migrate";
/** Every CouchDB makes its own, and Settee needs none. */
const usersDesignDocument = "_design/_auth";

export async function migrate(options: MigrationOptions): Promise<readonly MigratedDatabase[]> {
  const { names, atOnce, finished, progress, signal } = options;
  const queue = names.values();
  const results: MigratedDatabase[] = [];
  let documents = 0;
  const worker = async (): Promise<void> => {
    for (const name of queue) {
      if (signal.aborted) return;
      const counted = (count: number): void => {
        documents += count;
        progress({ databases: results.length, documents });
      };
      const result = await migrateDatabase(options, name, counted);
      results.push(result);
      finished(result);
      progress({ databases: results.length, documents });
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, names.length) }, worker));
  return results.sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function migrateDatabase(
  { from, to, signal }: MigrationOptions,
  name: string,
  counted: (documents: number) => void,
): Promise<MigratedDatabase> {
  const refused: string[] = [];
  let refusedCount = 0;
  const notes: string[] = [];
  const refuse = ({ id, error }: Refusal): void => {
    refusedCount++;
    if (refused.length < shownRefusals) refused.push(`${id}: ${error.error}: ${error.reason}`);
  };
  try {
    const settings = await from.settings(name, signal);
    const { members } = settings.security;
    const isPublic = !members?.names?.length && !members?.roles?.length;
    if (isPublic && !name.startsWith("_"))
      notes.push("has no members: public in CouchDB, for administrators in Settee");
    await to.prepare(name, settings, signal);
    let found: VerifiedDatabase | undefined;
    for (let pass = 0; pass < mostPasses; pass++) {
      const { source, target } = await replicate({ from, to }, name, { refused: refuse, counted }, signal);
      found = await verifyDatabase({ name, from, to, source, target }, signal);
      if (arrived(name, found)) break;
    }
    const verified = found !== undefined && arrived(name, found) && refusedCount === 0;
    return { name, verified, ...(found ? { found } : {}), refused, refusedCount, notes };
  } catch (error) {
    return { name, verified: false, refused, refusedCount, notes, error: asReplicationError(error).reason };
  }
}

/**
 * Documents before design documents: validation functions are for what is written from now on, and indexes are made once, of all that
 * there is. Design documents are few: to look at all of them again is cheaper than to remember how far one was.
 */
async function replicate(
  { from, to }: Pick<MigrationOptions, "from" | "to">,
  name: string,
  hooks: Pick<SessionParts, "refused"> & { readonly counted: (documents: number) => void },
  signal: AbortSignal,
): Promise<Pick<SessionParts, "source" | "target">> {
  const url = (end: ServerEnd): string => `${end.url}${encodeURIComponent(name)}`;
  const parse = (more: object) => parseReplication({ source: url(from), target: url(to), ...more });
  const [documents, designs] = [parse({}), parse({ filter: "_design", use_checkpoints: false })];
  const whole = without(from.source(name, documents.options), (id) => name === "_users" && id === usersDesignDocument);
  const target = to.target(name, documents.options);
  const run = async (source: Source, replication: Replication, subject: string): Promise<void> => {
    const id = replicationId(replication, `${migrationId} ${subject}`, undefined);
    await runSession({ source, target, options: replication.options, id, ...hooks }, hooks.counted, signal);
  };
  await run(without(whole, isDesignDocId), documents, "documents");
  const design = from.source(name, designs.options);
  await run(
    without(design, (id) => id === usersDesignDocument),
    designs,
    "design documents",
  );
  return { source: whole, target };
}

async function runSession(
  parts: SessionParts,
  counted: (documents: number) => void,
  signal: AbortSignal,
): Promise<void> {
  let before = 0;
  const progress = ({ statistics }: Session): void => {
    counted(statistics.docs_written - before);
    before = statistics.docs_written;
  };
  const session = await Session.open({ ...parts, progress }, signal);
  before = session.statistics.docs_written;
  try {
    await session.catchUp(signal);
  } catch (error) {
    // How far it came is where the next run goes on.
    await session.checkpoint(AbortSignal.timeout(10_000)).catch(() => undefined);
    throw error;
  }
  await session.checkpoint(signal);
}

/** The source without some of its documents. */
function without(source: Source, isLeftOut: (id: string) => boolean): Source {
  return new Proxy(source, {
    get(target, name) {
      if (name === "changes") {
        return async (...given: Parameters<Source["changes"]>) => {
          const page = await target.changes(...given);
          return { ...page, rows: page.rows.filter(({ id }) => !isLeftOut(id)) };
        };
      }
      const member: unknown = Reflect.get(target, name, target);
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
}
