/**
 * The version of what is on disk, and the road from one version to the next.
 *
 * 1   first format (`keys.ts`, `documents/document-record.ts`, `documents/sequence-entry.ts`)
 */
import { formatKey } from "./keys.js";
import { StoreUnavailable } from "./level-store.js";
import type { Store } from "./store.js";

export const formatVersion = 1;

/** One step of a migration: brings a store from the version of its index + 1 to the next one. Each must be safe to repeat. */
const migrations: readonly ((store: Store) => Promise<void>)[] = [];

/**
 * Checks a store that was just opened, marks a new one, and migrates an older one.
 * @throws StoreUnavailable when a newer Settee wrote it
 */
export async function openFormat(store: Store): Promise<void> {
  const stored = store.get(formatKey);
  const found = stored ? Number(stored.toString()) : formatVersion;
  if (!Number.isInteger(found) || found > formatVersion) {
    throw new StoreUnavailable(
      `The data directory has format ${stored?.toString()}, written by a newer Settee; this one reads up to ${formatVersion}. Upgrade Settee.`,
    );
  }
  for (const migrate of migrations.slice(found - 1)) await migrate(store);
  if (stored && found === formatVersion) return;
  const batch = store.batch();
  batch.put(formatKey, Buffer.from(String(formatVersion)));
  await batch.commit();
}
