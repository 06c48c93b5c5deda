/** What a piece of work adds to the memory of the server. */
import type { RunningPeer } from "../peers/peer.js";

/** Milliseconds between two looks. */
const lookInterval = 10;

export interface Grown<T> {
  readonly result: T;
  /** Bytes of memory at its highest above what it was before. */
  readonly growth: number;
}

export async function growthOf<T>(peer: Pick<RunningPeer, "residentBytes">, work: () => Promise<T>): Promise<Grown<T>> {
  const look = (): number => peer.residentBytes() ?? Number.NaN;
  const before = look();
  let highest = before;
  const looking = setInterval(() => {
    highest = Math.max(highest, look());
  }, lookInterval);
  try {
    const result = await work();
    return { result, growth: Math.max(highest, look()) - before };
  } finally {
    clearInterval(looking);
  }
}
