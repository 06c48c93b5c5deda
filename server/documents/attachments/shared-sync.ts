/** fsync of one directory, shared by all who need it at the same time: one trip to the disk for many new names. */
import { open } from "node:fs/promises";

export class SharedSync {
  readonly #path: string;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  /** Resolves when every name that the directory has now is on disk. */
  sync(): Promise<void> {
    if (this.#running === undefined) return this.#begin();
    // The one under way may have begun before the caller's name was there: only the one after it is sure to cover it.
    this.#next ??= this.#running.then(
      () => this.#begin(),
      () => this.#begin(),
    );
    return this.#next;
  }

  #begin(): Promise<void> {
    this.#next = undefined;
    const running = syncDirectory(this.#path).finally(() => {
      if (this.#running === running) this.#running = undefined;
    });
    this.#running = running;
    return running;
  }
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
