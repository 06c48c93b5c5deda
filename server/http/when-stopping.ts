const waiting = new WeakMap<AbortSignal, Set<() => void>>();

/** How many wait for the server to stop: its open feeds. */
export function openFeeds(stopping: AbortSignal): number {
  return waiting.get(stopping)?.size ?? 0;
}

/**
 * Calls back when the server begins to stop; the result takes that back. One listener for all: with thousands of feeds, a signal
 * with a listener each would be slow to take one out.
 */
export function whenStopping(stopping: AbortSignal, stop: () => void): () => void {
  let stops = waiting.get(stopping);
  if (!stops) {
    const all = new Set<() => void>();
    stopping.addEventListener("abort", () => {
      for (const each of all) each();
    });
    waiting.set(stopping, all);
    stops = all;
  }
  const mine = stops;
  mine.add(stop);
  if (stopping.aborted) stop();
  return () => void mine.delete(stop);
}
