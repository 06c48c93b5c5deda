/** Looking at a data directory's keys, past everything that reads them; its databases must be closed. */
import { join } from "node:path";
import { openLevelStore } from "../../server/storage/level-store.js";
import type { Key, Store } from "../../server/storage/store.js";

export async function withRawStore<T>(dataDir: string, use: (store: Store) => Promise<T>): Promise<T> {
  const store = await openLevelStore(join(dataDir, "store"));
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}

export async function keysIn(store: Store, range: { readonly from: Key; readonly to: Key }): Promise<readonly Key[]> {
  const keys: Key[] = [];
  for await (const entries of store.range({ ...range, values: false })) keys.push(...entries.map(({ key }) => key));
  return keys;
}

/** The keys of a range in a data directory. */
export function keysOnDisk(dataDir: string, range: { readonly from: Key; readonly to: Key }): Promise<readonly Key[]> {
  return withRawStore(dataDir, (store) => keysIn(store, range));
}
