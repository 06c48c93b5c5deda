/** Waiting before the next try: longer each time, and never the same for two that failed together. */
import { setTimeout } from "node:timers/promises";

export interface BackOffOptions {
  /** Milliseconds before the second try. */
  readonly first: number;
  readonly most: number;
}

/** Milliseconds to wait after so many failures in a row: between half of the doubled time and all of it. */
export function backOff(failures: number, { first, most }: BackOffOptions, random: () => number = Math.random): number {
  const full = Math.min(most, first * 2 ** Math.min(failures - 1, 30));
  return full / 2 + (random() * full) / 2;
}

/** @throws AbortError */
export async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await setTimeout(milliseconds, undefined, { signal });
}
