/** Which indexes a database has on disk, by their signatures. */
import type { GroupCommit } from "../../storage/group-commit.js";
import type { DatabaseKeys } from "../../storage/keys.js";
import type { Store } from "../../storage/store.js";

export interface CatalogueParts {
  readonly store: Store;
  readonly commit: GroupCommit;
  /** Of the database. */
  readonly keys: DatabaseKeys;
}

/** The number of the index, given to it for good. Numbers are never given twice: nodes of an old index may be in caches. */
export async function numberOfIndex({ store, commit, keys }: CatalogueParts, signature: string): Promise<number> {
  const key = keys.signature(signature);
  const known = store.get(key);
  if (known) return toNumber(known);
  let number = 0;
  await commit.write((batch) => {
    const pending = commit.read(key);
    number = pending ? toNumber(pending) : toNumber(commit.read(keys.meta("indexes"))) + 1;
    if (pending) return;
    batch.put(key, Buffer.from(String(number)));
    batch.put(keys.meta("indexes"), Buffer.from(String(number)));
  });
  return number;
}

export async function signaturesOf({ store, keys }: CatalogueParts): Promise<readonly string[]> {
  const signatures: string[] = [];
  for await (const entries of store.range(keys.signatures)) {
    signatures.push(...entries.map(({ key }) => keys.signatureOf(key)));
  }
  return signatures;
}

/** The index is gone when this resolves; its records are cleared afterwards, by `clearDropped`. */
export async function dropIndex({ commit, keys }: CatalogueParts, signature: string): Promise<void> {
  await commit.write((batch) => {
    const number = commit.read(keys.signature(signature));
    if (!number) return;
    batch.delete(keys.signature(signature));
    batch.put(keys.droppedIndex(toNumber(number)), Buffer.alloc(0));
  });
}

/** Clears what dropped indexes have left, those of an earlier run too. */
export async function clearDropped({ store, commit, keys }: CatalogueParts): Promise<void> {
  for await (const entries of store.range(keys.droppedIndexes)) {
    for (const { key } of entries) {
      const { from, to } = keys.index(keys.numberOfDroppedIndex(key)).all;
      await store.clear(from, to);
      await commit.write((batch) => batch.delete(key));
    }
  }
}

function toNumber(text: Buffer | undefined): number {
  return text ? Number(text.toString()) : 0;
}
