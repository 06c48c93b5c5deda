/**
 * Large attachments: one file per content and database, named by digest, under `blobs/NUMBER/xx/REST`. A file is complete and on
 * disk before its name exists, so whoever finds the name finds the bytes.
 */
import { randomBytes } from "node:crypto";
import { createReadStream, rmSync } from "node:fs";
import { type FileHandle, mkdir, open, readdir, rename, rm, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import type { DatabaseNumber } from "../../storage/keys.js";

export interface ByteRange {
  /** First byte. */
  readonly start: number;
  /** Last byte, inclusive. */
  readonly end: number;
}

/** Bytes that are being received, not yet named. */
export interface BlobDraft {
  write(chunk: Buffer): Promise<void>;
  /** Makes the bytes durable under their digest. A content that is there already is kept. */
  keep(digest: string): Promise<void>;
  discard(): Promise<void>;
}

/** How much of a file is read at once: fewer trips through the thread pool than the default of 64 kB. */
const readChunk = 256 * 1024;

export class BlobStore {
  readonly #root: string;
  /** Directories that are known to exist and to be on disk. */
  readonly #directories = new Set<string>();

  constructor(root: string) {
    this.#root = root;
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
      write: (chunk) => writeAll(file, chunk),
      keep: async (digest) => {
        await file.sync();
        await file.close();
        const target = await this.#ensureDirectory(database, digest);
        await rename(path, join(target, fileName(digest)));
        await syncDirectory(target);
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
  }

  /** Every digest that a database has a file of, in no order. */
  async *digests(database: DatabaseNumber): AsyncIterable<string> {
    const root = join(this.#root, String(database));
    for (const directory of await readdir(root).catch(() => [])) {
      for (const name of await readdir(join(root, directory))) yield digestOf(directory, name);
    }
  }

  /** Removes every file of a database. */
  async removeAll(database: DatabaseNumber): Promise<void> {
    const root = join(this.#root, String(database));
    for (const known of this.#directories) if (known.startsWith(root)) this.#directories.delete(known);
    await rm(root, { recursive: true, force: true });
  }

  #path(database: DatabaseNumber, digest: string): string {
    return join(this.#directory(database, digest), fileName(digest));
  }

  #directory(database: DatabaseNumber, digest: string): string {
    return join(this.#root, String(database), hexOf(digest).slice(0, 2));
  }

  async #ensureDirectory(database: DatabaseNumber, digest: string): Promise<string> {
    const directory = this.#directory(database, digest);
    if (this.#directories.has(directory)) return directory;
    await mkdir(directory, { recursive: true, mode: 0o700 });
    // The names of new directories are on disk only once their parents are.
    await syncDirectory(join(this.#root, String(database)));
    await syncDirectory(this.#root);
    this.#directories.add(directory);
    return directory;
  }
}

/** `md5-` and base64 on the wire; in file names hexadecimal, since base64 has slashes and depends on letter case. */
function hexOf(digest: string): string {
  return Buffer.from(digest.slice(4), "base64").toString("hex");
}

function fileName(digest: string): string {
  return hexOf(digest).slice(2);
}

function digestOf(directory: string, name: string): string {
  return `md5-${Buffer.from(directory + name, "hex").toString("base64")}`;
}

async function writeAll(file: FileHandle, chunk: Buffer): Promise<void> {
  let written = 0;
  while (written < chunk.length) written += (await file.write(chunk, written)).bytesWritten;
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
