/**
 * The keys that one document has in the views of an index, so that its rows can be found when it changes.
 *
 *   for each view that has any   varints: place of the view, number of keys; the keys as JSON texts
 */
import { ByteReader, ByteWriter } from "../../documents/bytes.js";

export interface EmittedKeys {
  readonly view: number;
  /** JSON texts. */
  readonly keys: readonly string[];
}

const writer = new ByteWriter(4096);

export function encodeEmittedKeys(emitted: readonly EmittedKeys[]): Buffer {
  writer.reset();
  for (const { view, keys } of emitted) {
    writer.varint(view).varint(keys.length);
    for (const key of keys) writer.text(key);
  }
  return writer.copy();
}

/** A view at a time: one document may have very many keys. */
export function* decodeEmittedKeys(bytes: Buffer): Iterable<EmittedKeys> {
  const reader = new ByteReader(bytes);
  while (reader.at < bytes.length) {
    const [view, count] = [reader.varint(), reader.varint()];
    const keys: string[] = [];
    for (let i = 0; i < count; i++) keys.push(reader.text());
    yield { view, keys };
  }
}
