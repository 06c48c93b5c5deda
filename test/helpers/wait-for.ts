/** Waiting on conditions: tests never sleep for a fixed time and hope. */

export interface WaitOptions {
  /** Milliseconds until it is given up. */
  readonly timeout?: number;
  /** Milliseconds between two looks. */
  readonly interval?: number;
}

/**
 * Asks `condition` again and again until it answers something truthy, and resolves with that.
 * @throws Error naming `what` when the time is over; a condition that threw is the error's cause
 */
export async function waitFor<T>(
  what: string,
  condition: () => T | Promise<T>,
  options: WaitOptions = {},
): Promise<Exclude<T, false | null | undefined | 0 | "">> {
  const timeout = options.timeout ?? 10_000;
  const deadline = performance.now() + timeout;
  let lastError: unknown;
  for (;;) {
    try {
      const value = await condition();
      if (value) return value as Exclude<T, false | null | undefined | 0 | "">;
      lastError = undefined;
    } catch (error) {
      lastError = error;
    }
    if (performance.now() > deadline) throw new Error(`waited ${timeout} ms in vain for ${what}`, { cause: lastError });
    await new Promise((resolve) => setTimeout(resolve, options.interval ?? 10));
  }
}

/** Resolves as `promise` does, or rejects after `timeout` milliseconds, naming `what`. */
export async function within<T>(what: string, promise: Promise<T>, timeout = 10_000): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${timeout} ms in vain for ${what}`)), timeout);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
