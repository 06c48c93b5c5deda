/**
 * Every key that is on disk, builder beside parser.
 *
 *   /format                       version of the format of this data directory (`format.ts`)
 *   /epoch                        current epoch of update sequences
 *   /next-database                number that the next database gets
 *   /databases/NAME               directory record of a database: its number, properties, epochs
 *   /dropped/NUMBER               a database whose records are still to be cleared
 *   /updates/SEQUENCE             what happened to a database, for `_db_updates`
 *   /updated/NAME                 the sequences of a database's records under /updates
 *
 *   NUMBER d DOCID                document record: revision tree, and the winner's body when it is small
 *   NUMBER b DOCID \0 REV         a body that does not stand beside its tree
 *   NUMBER s SEQUENCE             the latest change of one document, with the counters after it
 *   NUMBER l LOCALID              local document
 *   NUMBER a DIGEST               a small attachment (larger ones are files)
 *   NUMBER m NAME                 security, settings, counters after a purge
 *   NUMBER p SEQUENCE             purge log
 *   NUMBER i SIGNATURE            number of the index that is made as this says
 *   NUMBER j INDEX                an index that is still to be cleared
 *   NUMBER v INDEX h              an index: how far it came, and the roots of its trees
 *   NUMBER v INDEX n NODE         a node of one of its trees, never changed once it is written
 *   NUMBER v INDEX e DOCID        keys that one document has in it
 *
 * NUMBER and INDEX are 8 hexadecimal digits, SEQUENCE and NODE 12: fixed widths, so that their order as text is their order
 * as numbers, and LevelDB's prefix compression makes the width free. A document id is the last part of its key or is ended by
 * \0, which ids cannot hold in a body key because a revision never does.
 */
import type { DocId, RevId } from "../../protocol/ids.js";
import type { Key } from "./store.js";

/** Number of a database, unique for the life of a data directory: a database deleted and made again gets a new one. */
export type DatabaseNumber = number;

export const formatKey: Key = "/format";
export const epochKey: Key = "/epoch";
export const nextDatabaseKey: Key = "/next-database";

const directoryPrefix = "/databases/";
export const directoryRange = { from: directoryPrefix, to: "/databases0" } as const;

export function directoryKey(name: string): Key {
  return directoryPrefix + name;
}

export function databaseNameOfKey(key: Key): string {
  return key.slice(directoryPrefix.length);
}

const droppedPrefix = "/dropped/";
export const droppedRange = { from: droppedPrefix, to: "/dropped0" } as const;

export function droppedKey(number: DatabaseNumber): Key {
  return droppedPrefix + fixedHex(number, 8);
}

export function numberOfDroppedKey(key: Key): DatabaseNumber {
  return Number.parseInt(key.slice(droppedPrefix.length), 16);
}

const updatesPrefix = "/updates/";
export const updatesRange = { from: updatesPrefix, to: "/updates0" } as const;

export function updateKey(seq: number): Key {
  return updatesPrefix + fixedHex(seq, 12);
}

export function seqOfUpdateKey(key: Key): number {
  return Number.parseInt(key.slice(updatesPrefix.length), 16);
}

export function updatedKey(name: string): Key {
  return `/updated/${name}`;
}

export interface KeySpan {
  readonly from: Key;
  readonly to: Key;
}

/**
 * The keys of one database. A class, and ranges that are made when they are asked for: every open database has one of these, and as
 * a function of its own each method would be a tenth of what a database costs that waits for changes.
 */
export class DatabaseKeys {
  readonly #prefix: string;

  constructor(number: DatabaseNumber) {
    this.#prefix = fixedHex(number, 8);
  }

  /** Every key of the database. */
  get all(): KeySpan {
    return kind(this.#prefix);
  }

  get documents(): KeySpan {
    return kind(`${this.#prefix}d`);
  }

  get bodies(): KeySpan {
    return kind(`${this.#prefix}b`);
  }

  get sequences(): KeySpan {
    return kind(`${this.#prefix}s`);
  }

  get locals(): KeySpan {
    return kind(`${this.#prefix}l`);
  }

  get attachments(): KeySpan {
    return kind(`${this.#prefix}a`);
  }

  get purges(): KeySpan {
    return kind(`${this.#prefix}p`);
  }

  document(id: string): Key {
    return `${this.#prefix}d${id}`;
  }

  docIdOf(documentKey: Key): DocId {
    return rest(documentKey) as DocId;
  }

  body(id: DocId, rev: RevId): Key {
    return `${this.#prefix}b${id}\0${rev}`;
  }

  sequence(seq: number): Key {
    return `${this.#prefix}s${fixedHex(seq, 12)}`;
  }

  seqOf(sequenceKey: Key): number {
    return Number.parseInt(rest(sequenceKey), 16);
  }

  local(id: string): Key {
    return `${this.#prefix}l${id}`;
  }

  localIdOf(localKey: Key): string {
    return rest(localKey);
  }

  attachment(digest: string): Key {
    return `${this.#prefix}a${digest}`;
  }

  digestOf(attachmentKey: Key): string {
    return rest(attachmentKey);
  }

  meta(name: "security" | "settings" | "counters" | "indexes"): Key {
    return `${this.#prefix}m${name}`;
  }

  purge(seq: number): Key {
    return `${this.#prefix}p${fixedHex(seq, 12)}`;
  }

  purgeSeqOf(purgeKey: Key): number {
    return Number.parseInt(rest(purgeKey), 16);
  }

  get signatures(): KeySpan {
    return kind(`${this.#prefix}i`);
  }

  signature(signature: string): Key {
    return `${this.#prefix}i${signature}`;
  }

  signatureOf(signatureKey: Key): string {
    return rest(signatureKey);
  }

  get droppedIndexes(): KeySpan {
    return kind(`${this.#prefix}j`);
  }

  droppedIndex(number: number): Key {
    return `${this.#prefix}j${fixedHex(number, 8)}`;
  }

  numberOfDroppedIndex(droppedKey: Key): number {
    return Number.parseInt(rest(droppedKey), 16);
  }

  /** The keys of one index; numbers of indexes are those of one database. */
  index(number: number): IndexKeys {
    return indexKeys(`${this.#prefix}v${fixedHex(number, 8)}`);
  }
}

export function databaseKeys(number: DatabaseNumber): DatabaseKeys {
  return new DatabaseKeys(number);
}

export interface IndexKeys {
  /** Every key of the index. */
  readonly all: KeySpan;
  readonly head: Key;
  readonly nodes: KeySpan;
  node(number: number): Key;
  readonly emitted: KeySpan;
  emittedBy(id: string): Key;
}

function indexKeys(prefix: Key): IndexKeys {
  const [nodes, emitted] = [`${prefix}n`, `${prefix}e`];
  return {
    all: kind(prefix),
    head: `${prefix}h`,
    nodes: kind(nodes),
    node: (number) => nodes + fixedHex(number, 12),
    emitted: kind(emitted),
    emittedBy: (id) => emitted + id,
  };
}

/** Length of `NUMBER k` in front of every key of a database. */
const prefixLength = 9;

function rest(key: Key): string {
  return key.slice(prefixLength);
}

function kind(from: Key): KeySpan {
  return { from, to: afterPrefix(from) };
}

/** The first key after all those that begin with `prefix`, which must end in a plain ASCII character. */
export function afterPrefix(prefix: Key): Key {
  return prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
}

function fixedHex(value: number, width: number): string {
  return value.toString(16).padStart(width, "0");
}
