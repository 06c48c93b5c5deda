/**
 * How much the WebAssembly memory grew while a realm ran. QuickJS cannot tell the size of what it allocated when it is compiled to
 * WebAssembly, so its own limit catches single pieces that are too large, and this catches many small ones. Memory that an earlier
 * realm gave back is used again without any growth: a realm may have that on top.
 */
export class MemoryWatch {
  readonly #memory: { readonly buffer: ArrayBufferLike };
  readonly #limitBytes: number;
  /** By calls that are over. */
  #grown = 0;
  #before: number;

  constructor(memory: { readonly buffer: ArrayBufferLike }, limitBytes: number) {
    this.#memory = memory;
    this.#limitBytes = limitBytes;
    this.#before = memory.buffer.byteLength;
  }

  /** A call begins. */
  start(): void {
    this.#before = this.#memory.buffer.byteLength;
  }

  stop(): void {
    this.#grown += this.#memory.buffer.byteLength - this.#before;
    this.#before = this.#memory.buffer.byteLength;
  }

  isOver(): boolean {
    const grown = this.#memory.buffer.byteLength - this.#before;
    if (grown === 0) return false;
    // It grows in steps, and who needs a byte of the next one is not to blame for all of it.
    const step = Math.min(this.#before * growthStep, largestStep);
    return this.#grown + grown > this.#limitBytes + step;
  }
}

/** Emscripten's: a fifth of the memory, and not more than that. */
const growthStep = 0.2;
const largestStep = 96 * 1024 * 1024;
