/** Replications of this server: those that `POST /_replicate` asks for, and those of `_replicator` documents. */
import { setMaxListeners } from "node:events";
import { CouchError } from "../../protocol/errors.js";
import { type Identity, isServerAdmin } from "../../protocol/security.js";
import type { Database } from "../documents/database.js";
import type { Databases } from "../documents/databases.js";
import type { Refusal } from "./peer.js";
import { type Ends, filterCode, localSourceName, type PeerServices, resolveEnds } from "./peers.js";
import { parseReplication, type Replication } from "./replication.js";
import { type ReplicationId, replicationId } from "./replication-id.js";
import { finishedState } from "./scheduler/describe.js";
import type { JobDocument, JobEnd, JobFacts } from "./scheduler/job.js";
import { ownerOf, replicationOf, userCtxOf } from "./scheduler/replication-document.js";
import { type ActiveDocument, failedState, ReplicationDocuments } from "./scheduler/replication-documents.js";
import { ReplicationJob } from "./scheduler/replication-job.js";
import { type ScheduledJob, Scheduler, type SchedulerSettings } from "./scheduler/scheduler.js";
import { SourceWatch } from "./scheduler/source-watch.js";

type Json = Readonly<Record<string, unknown>>;

export interface ReplicatorSettings extends SchedulerSettings {
  /** Milliseconds within which what is there at the server's start begins. */
  readonly startupJitter: number;
}

export interface ReplicatorLog {
  warn(facts: object, message: string): void;
  error(facts: object, message: string): void;
}

export interface ReplicatorParts {
  readonly databases: Databases;
  readonly services: PeerServices;
  /** Names this server for ever, 32 hexadecimal digits. */
  readonly uuid: string;
  readonly settings: () => ReplicatorSettings;
  /** Who has this name now; undefined when nobody has. */
  readonly identityOf: (name: string) => Promise<Identity | undefined>;
  readonly log: ReplicatorLog;
}

/** What `POST /_replicate` answers. */
export type ReplicateOutcome =
  | { readonly kind: "finished"; readonly result: Json }
  | { readonly kind: "continuous" | "cancelled"; readonly id: string };

/** A replication that is known down to its id. */
interface Prepared {
  readonly replication: Replication;
  readonly ends: Ends;
  readonly id: ReplicationId;
}

export class Replicator {
  readonly #parts: ReplicatorParts;
  readonly #scheduler: Scheduler;
  readonly #documents: ReplicationDocuments;
  readonly #watch: SourceWatch;
  #started: Promise<void> | undefined;
  readonly #stopping = new AbortController();
  /** One-shot replications that somebody waits for, by id. */
  readonly #awaited = new Map<string, Promise<Json>>();

  constructor(parts: ReplicatorParts) {
    const { databases, settings, log } = parts;
    this.#parts = parts;
    setMaxListeners(0, this.#stopping.signal);
    this.#scheduler = new Scheduler({
      settings,
      crashed: ({ facts }, error) =>
        log.warn({ ...named(facts), err: error }, "a replication failed and will be tried again"),
    });
    this.#watch = new SourceWatch(databases, (id) => this.#scheduler.wake(id));
    this.#documents = new ReplicationDocuments({
      databases,
      begin: (document, members, delay) => this.#beginDocument(document, members, delay),
      cancel: (id) => this.#scheduler.remove(id),
      isFinal: ({ error, status }) => status === 400 || error === "forbidden",
      startupJitter: () => settings().startupJitter,
      onError: (err, document) => log.error({ err, ...document }, "a replication document could not be looked at"),
    });
  }

  /** Resolves when every document that is there has been looked at. */
  async start(): Promise<void> {
    this.#scheduler.start();
    this.#started = this.#documents.start();
    await this.#started;
  }

  /** Ends all that runs; checkpoints tell where it goes on. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#watch.stop();
    await this.#documents.stop();
    await this.#started?.catch(() => undefined);
    await this.#scheduler.stop();
  }

  get jobs(): readonly ScheduledJob[] {
    return this.#scheduler.list();
  }

  job(id: string): ScheduledJob | undefined {
    return this.#scheduler.get(id);
  }

  /** The databases of replication documents. */
  get documentDatabases(): readonly Database[] {
    return this.#documents.databases;
  }

  activeDocument(database: string, id: string): ActiveDocument | undefined {
    return this.#documents.active(database, id);
  }

  /** `POST /_replicate`. @throws CouchError */
  async replicate(body: Json, identity: Identity): Promise<ReplicateOutcome> {
    if (body["cancel"] === true) return { kind: "cancelled", id: await this.#cancel(body, identity) };
    const prepared = await this.#prepare(parseReplication(body), identity);
    const { full } = prepared.id;
    if (prepared.replication.options.continuous) {
      if (!this.#scheduler.get(full)) this.#add(prepared, identity, undefined, () => undefined);
      return { kind: "continuous", id: full };
    }
    return { kind: "finished", result: await this.#finished(prepared, identity) };
  }

  /** The same replication twice at the same time is one, and both who asked for it hear how it ended. */
  #finished(prepared: Prepared, identity: Identity): Promise<Json> {
    const { full } = prepared.id;
    const awaited = this.#awaited.get(full);
    if (awaited) return awaited;
    if (this.#scheduler.get(full)) {
      throw new CouchError("conflict", "This replication is under way already, for a document of _replicator.");
    }
    const { signal } = this.#stopping;
    let stop = (): void => undefined;
    const finished = new Promise<Json>((resolve, reject) => {
      // Whoever waits must not keep the server from stopping.
      stop = () => reject(new CouchError("service_unavailable"));
      signal.addEventListener("abort", stop);
      this.#add(prepared, identity, undefined, (end) => {
        if (end.kind === "completed") resolve(end.result);
        else reject(end.kind === "failed" ? end.error : new CouchError("replication_error", "It was cancelled."));
      });
    }).finally(() => {
      signal.removeEventListener("abort", stop);
      this.#awaited.delete(full);
    });
    this.#awaited.set(full, finished);
    return finished;
  }

  /** By its id, or by the same request again. @throws CouchError not_found, unauthorized */
  async #cancel(body: Json, identity: Identity): Promise<string> {
    const given = body["replication_id"] ?? body["_local_id"] ?? body["id"];
    const id = typeof given === "string" ? given : (await this.#prepare(parseReplication(body), identity)).id.full;
    const job = this.#scheduler.get(id);
    // What a document asked for ends with its document.
    if (!job || job.job.facts.document) throw new CouchError("not_found", "missing");
    if (!isServerAdmin(identity) && job.job.facts.user !== identity.name) {
      throw new CouchError("unauthorized", "You are not a server admin.");
    }
    await this.#scheduler.remove(id);
    return id;
  }

  async #beginDocument(document: JobDocument, members: Json, delay: number): Promise<string> {
    const replication = replicationOf(members);
    const identity = await this.#delegate(members);
    const prepared = await this.#prepare(replication, identity);
    const { full } = prepared.id;
    const there = this.#scheduler.get(full)?.job.facts;
    if (there) {
      const by = there.document
        ? `triggered by document \`${there.document.id}\` from db \`${there.document.database}\``
        : "";
      throw new CouchError("bad_request", `Replication \`${full}\` already started${by && `, ${by}`}`);
    }
    const began = Date.now();
    const ended = (end: JobEnd, job: ReplicationJob): void => {
      if (end.kind === "cancelled") return;
      const state =
        end.kind === "completed" ? finishedState(full, began, job.progress()) : failedState(end.error.reason);
      this.#documents
        .finish(document, state)
        .catch((err: unknown) =>
          this.#parts.log.error({ err, ...document }, "a replication's end could not be written"),
        );
    };
    this.#add(prepared, identity, { document, members, delay }, ended);
    return full;
  }

  /** As whom a document's replication acts. Its owner must still be there, and cannot hand on more than is the owner's. */
  async #delegate(members: Json): Promise<Identity> {
    const ctx = userCtxOf(members);
    const owner = ownerOf(members);
    const identity = typeof owner === "string" ? await this.#parts.identityOf(owner) : undefined;
    if (!identity) throw new CouchError("unauthorized", "The owner of the replication document is nobody here.");
    if (!ctx) return identity;
    const isAdmin = isServerAdmin(identity);
    const roles = isAdmin ? ctx.roles : ctx.roles.filter((role) => identity.roles.includes(role));
    const name = isAdmin ? (ctx.name as Identity["name"]) : identity.name;
    return { name, roles, method: identity.method };
  }

  async #prepare(replication: Replication, identity: Identity): Promise<Prepared> {
    const { services, uuid } = this.#parts;
    const ends = await resolveEnds(replication, identity, services);
    const code = await filterCode(ends, replication.options, services, this.#stopping.signal);
    return { replication, ends, id: replicationId(replication, uuid, code) };
  }

  #add(
    { replication, ends, id }: Prepared,
    identity: Identity,
    from: { readonly document: JobDocument; readonly members: Json; readonly delay: number } | undefined,
    ended: (end: JobEnd, job: ReplicationJob) => void,
  ): void {
    const { services, databases, log } = this.#parts;
    const facts: JobFacts = {
      id,
      replication,
      sourceUrl: ends.sourceUrl,
      targetUrl: ends.targetUrl,
      user: identity.name,
      document: from?.document,
      startTime: Date.now(),
    };
    const members = from?.members;
    const { continuous } = replication.options;
    const source = continuous ? localSourceName(ends) : undefined;
    const job: ReplicationJob = new ReplicationJob({
      facts,
      services,
      tasks: databases.tasks,
      resolve: async () => {
        // Of a document the owner's rights as they are now; a request's are those of its caller.
        if (!members) return ends;
        return await resolveEnds(replication, await this.#delegate(members), services);
      },
      ended: (end) => {
        if (source !== undefined) this.#watch.remove(source, id.full);
        ended(end, job);
      },
      refused: ({ id: docId, error }: Refusal) =>
        log.warn({ ...named(facts), id: docId, error: error.error, reason: error.reason }, "a document was refused"),
    });
    if (source !== undefined) this.#watch.add(source, id.full);
    this.#scheduler.add(job, { delay: from?.delay ?? 0, once: !from && !continuous });
  }
}

function named({ id, sourceUrl, targetUrl, document }: JobFacts): object {
  return { replication: id.full, source: sourceUrl, target: targetUrl, ...(document ? { document: document.id } : {}) };
}
