/**
 * Large attachments: one file per content and database, named by digest, `blobs/NUMBER/DIGEST`. A file is complete and on disk
 * before its name exists, so whoever finds the name finds the bytes.
 */
import { randomBytes } from "node:crypto";
import { createReadStream, rmSync } from "node:fs";
import { type FileHandle, mkdir, open, opendir, readdir, rename, rm, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { LRUCache } from "lru-cache";
import type { DatabaseNumber } from "../../storage/keys.js";
import { SharedSync } from "./shared-sync.js";

export interface ByteRange {
  /** First byte. */
  readonly start: number;
  /** Last byte, inclusive. */
  readonly end: number;
}

/** Bytes that are being received, not yet named. */
export interface BlobDraft {
  write(chunks: readonly Buffer[]): Promise<void>;
  /** Makes the bytes durable under their digest. A content that is there already is replaced by its equal. */
  keep(digest: string): Promise<void>;
  discard(): Promise<void>;
}

/** How much of a file is read at once: twice as fast as the default of 64 kB, and little memory for a slow reader. */
const readChunk = 512 * 1024;
/** Directories remembered to exist and to be on disk; a forgotten one costs two syncs. */
const rememberedDirectories = 10_000;
/** Databases whose bytes are remembered while no file of theirs comes or goes; a forgotten one costs a look at each file. */
const rememberedSizes = 10_000;
/** Files looked at at the same time: as many as the thread pool has threads. */
const looks = 4;

export class BlobStore {
  readonly #root: string;
  readonly #rootSync: SharedSync;
  readonly #directories = new LRUCache<DatabaseNumber, SharedSync>({ max: rememberedDirectories });
  readonly #sizes = new LRUCache<DatabaseNumber, Promise<number>>({ max: rememberedSizes });

  constructor(root: string) {
    this.#root = root;
    this.#rootSync = new SharedSync(root);
  }

  /** Creates the root and removes what a crash left half received. */
  async open(): Promise<void> {
    await mkdir(join(this.#root, "incoming"), { recursive: true, mode: 0o700 });
    for (const name of await readdir(join(this.#root, "incoming"))) await unlink(join(this.#root, "incoming", name));
  }

  async draft(database: DatabaseNumber): Promise<BlobDraft> {
    const path = join(this.#root, "incoming", randomBytes(12).toString("hex"));
    const file = await open(path, "wx", 0o600);
    return {
      write: (chunks) => writeAll(file, chunks),
      keep: async (digest) => {
        await file.sync();
        await file.close();
        const directory = await this.#ensureDirectory(database);
        await rename(path, this.#path(database, digest));
        this.#sizes.delete(database);
        await directory.sync();
      },
      discard: async () => {
        await file.close().catch(() => undefined);
        await unlink(path).catch(() => undefined);
      },
    };
  }

  async has(database: DatabaseNumber, digest: string): Promise<boolean> {
    return stat(this.#path(database, digest)).then(
      () => true,
      () => false,
    );
  }

  /** The stored bytes, or a part of them. The stream errors with ENOENT when there are none. */
  read(database: DatabaseNumber, digest: string, range?: ByteRange): Readable {
    return createReadStream(this.#path(database, digest), { highWaterMark: readChunk, ...range });
  }

  /** Synchronous, so that nobody can take the same content in between the decision to remove it and the removal. */
  remove(database: DatabaseNumber, digest: string): void {
    rmSync(this.#path(database, digest), { force: true });
    this.#sizes.delete(database);
  }

  /** Bytes of all files of a database. */
  bytes(database: DatabaseNumber): Promise<number> {
    const known = this.#sizes.get(database);
    if (known) return known;
    const counted = this.#count(database);
    this.#sizes.set(database, counted);
    counted.catch(() => this.#sizes.delete(database));
    return counted;
  }

  /** Every digest that a database has a file of, in no order. */
  async *digests(database: DatabaseNumber): AsyncIterable<string> {
    const directory = await opendir(this.#directory(database)).catch(() => undefined);
    if (directory) for await (const { name } of directory) yield digestOf(name);
  }

  /** Removes every file of a database. */
  async removeAll(database: DatabaseNumber): Promise<void> {
    this.#directories.delete(database);
    this.#sizes.delete(database);
    await rm(this.#directory(database), { recursive: true, force: true });
  }

  async #count(database: DatabaseNumber): Promise<number> {
    const names = await readdir(this.#directory(database)).catch(() => []);
    let bytes = 0;
    const look = async (): Promise<void> => {
      for (let name = names.pop(); name !== undefined; name = names.pop()) {
        // One that was removed meanwhile takes no room.
        const file = await stat(join(this.#directory(database), name)).catch(() => undefined);
        bytes += file?.size ?? 0;
      }
    };
    await Promise.all(Array.from({ length: looks }, look));
    return bytes;
  }

  #path(database: DatabaseNumber, digest: string): string {
    return join(this.#directory(database), fileName(digest));
  }

  #directory(database: DatabaseNumber): string {
    return join(this.#root, String(database));
  }

  async #ensureDirectory(database: DatabaseNumber): Promise<SharedSync> {
    const known = this.#directories.get(database);
    if (known) return known;
    const path = this.#directory(database);
    await mkdir(path, { recursive: true, mode: 0o700 });
    // The name of a new directory is on disk only once its parent is.
    await this.#rootSync.sync();
    const made = this.#directories.get(database) ?? new SharedSync(path);
    this.#directories.set(database, made);
    return made;
  }
}

/** `md5-` and base64 on the wire; in file names hexadecimal, since base64 has slashes and depends on letter case. */
function fileName(digest: string): string {
  return Buffer.from(digest.slice(4), "base64").toString("hex");
}

function digestOf(name: string): string {
  return `md5-${Buffer.from(name, "hex").toString("base64")}`;
}

async function writeAll(file: FileHandle, chunks: readonly Buffer[]): Promise<void> {
  const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  let { bytesWritten: written } = await file.writev(chunks);
  if (written === length) return;
  // A write that was cut short is rare: a signal, a disk that is nearly full.
  const all = Buffer.concat(chunks);
  while (written < length) written += (await file.write(all, written)).bytesWritten;
}
