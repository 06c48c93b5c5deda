/** What is known of a database before it is opened: one record under its name, so that opening one is two reads. */
import { defaultSecurity, type SecurityObject } from "../../protocol/security.js";
import type { DatabaseNumber } from "../storage/keys.js";
import type { EpochStart } from "./epochs.js";

export interface DirectoryRecord {
  readonly number: DatabaseNumber;
  readonly partitioned: boolean;
  /** Milliseconds since 1970. */
  readonly created: number;
  readonly security: SecurityObject;
  readonly revsLimit: number;
  /** Entries of the purge log that a compaction leaves. */
  readonly purgedInfosLimit: number;
  /** Oldest first. */
  readonly epochs: readonly EpochStart[];
}

/** CouchDB's defaults. */
export const defaultRevsLimit = 1000;
export const defaultPurgedInfosLimit = 1000;

export function newDirectoryRecord(
  number: DatabaseNumber,
  options: { readonly partitioned: boolean; readonly epoch: string; readonly created: number },
): DirectoryRecord {
  return {
    number,
    partitioned: options.partitioned,
    created: options.created,
    security: defaultSecurity,
    revsLimit: defaultRevsLimit,
    purgedInfosLimit: defaultPurgedInfosLimit,
    epochs: [{ epoch: options.epoch, first: 1 }],
  };
}

const defaults = {
  security: defaultSecurity,
  revsLimit: defaultRevsLimit,
  purgedInfosLimit: defaultPurgedInfosLimit,
  partitioned: false,
};

/** Defaults are left out: a hundred thousand databases have them. */
export function encodeDirectoryRecord(record: DirectoryRecord): Buffer {
  const { security, revsLimit, purgedInfosLimit, partitioned, ...rest } = record;
  return Buffer.from(
    JSON.stringify({
      ...rest,
      ...(security === defaultSecurity ? {} : { security }),
      ...(revsLimit === defaultRevsLimit ? {} : { revsLimit }),
      ...(purgedInfosLimit === defaultPurgedInfosLimit ? {} : { purgedInfosLimit }),
      ...(partitioned ? { partitioned } : {}),
    }),
  );
}

export function decodeDirectoryRecord(bytes: Buffer): DirectoryRecord {
  const record = JSON.parse(bytes.toString()) as Omit<DirectoryRecord, keyof typeof defaults> &
    Partial<DirectoryRecord>;
  return { ...defaults, ...record };
}
