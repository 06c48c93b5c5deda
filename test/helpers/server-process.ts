/** A server in a process of its own, that can be killed and come back on the same data and the same port. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { within } from "./wait-for.js";

export interface ServerCommand {
  /** Names the server in failure messages. */
  readonly label: string;
  /** Arguments of node: the file to run and what follows. */
  readonly nodeArguments: readonly string[];
  /** What tells the server where to listen (0: any free port) and where its data is. */
  readonly environment: (port: number, dataDir: string) => Readonly<Record<string, string>>;
}

export interface ServerProcessOptions {
  /** Default: a fresh temporary directory, removed by `close`. */
  readonly dataDir?: string;
  /** Milliseconds until the server must have printed its URL. */
  readonly startTimeout?: number;
  /** Milliseconds that a stopping server may take before it counts as hanging. */
  readonly stopTimeout?: number;
}

/** How much of a server's output is kept, in characters: its end is what explains a failure. */
const keptOutput = 64 * 1024;
const announcedUrl = /http:\/\/127\.0\.0\.1:(\d+)/;

/** Whatever happens to the tests, no server and no directory outlives them. */
const running = new Set<ChildProcess>();
const temporaryDirectories = new Set<string>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
  for (const directory of temporaryDirectories) rmSync(directory, { recursive: true, force: true });
});

// A signal would end this process past the "exit" event, e.g. when a runner's patience is over.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));

export class ServerProcess {
  readonly dataDir: string;
  /** Keeps growing over restarts, so that a failure shows what the server said before it died. */
  output = "";
  private readonly command: ServerCommand;
  private readonly options: ServerProcessOptions;
  private readonly ownsDirectory: boolean;
  private child: ChildProcess | undefined;
  private exited: Promise<string> = Promise.resolve("never started");
  private port = 0;

  private constructor(command: ServerCommand, options: ServerProcessOptions) {
    this.command = command;
    this.options = options;
    this.ownsDirectory = options.dataDir === undefined;
    this.dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), "settee-test-"));
    if (this.ownsDirectory) temporaryDirectories.add(this.dataDir);
  }

  /** Resolves when the server listens. */
  static async start(command: ServerCommand, options: ServerProcessOptions = {}): Promise<ServerProcess> {
    const server = new ServerProcess(command, options);
    try {
      await server.start();
    } catch (error) {
      await server.close();
      throw error;
    }
    return server;
  }

  /** E.g. `http://127.0.0.1:40123`, without a slash at the end; the same after a restart. */
  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get pid(): number {
    const pid = this.child?.pid;
    if (pid === undefined) throw new Error(`${this.command.label} is not running`);
    return pid;
  }

  /** SIGKILL: the server has no chance to finish anything. */
  async kill(): Promise<void> {
    this.child?.kill("SIGKILL");
    await this.exited;
  }

  /** SIGTERM: resolves with how it ended, e.g. `code 0` or `signal SIGTERM`. */
  async stop(): Promise<string> {
    this.child?.kill("SIGTERM");
    try {
      return await within(`${this.command.label} to stop`, this.exited, this.options.stopTimeout ?? 15_000);
    } catch (error) {
      throw this.explained(error);
    }
  }

  /** Starts it again on the same directory and the same port; a running one is stopped first. */
  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  /** Ends the process and removes its directory if it was a temporary one. */
  async close(): Promise<void> {
    await this.kill();
    if (!this.ownsDirectory) return;
    rmSync(this.dataDir, { recursive: true, force: true, maxRetries: 5 });
    temporaryDirectories.delete(this.dataDir);
  }

  private async start(): Promise<void> {
    // The tests must not depend on how the developer's own server happens to be configured.
    const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("SETTEE_"));
    const child = spawn(process.execPath, this.command.nodeArguments, {
      env: { ...Object.fromEntries(inherited), ...this.command.environment(this.port, this.dataDir) },
      stdio: ["ignore", "pipe", "pipe"],
    });
    running.add(child);
    this.child = child;
    this.exited = new Promise((resolve) => {
      child.once("close", (code, signal) => {
        running.delete(child);
        if (this.child === child) this.child = undefined;
        resolve(signal ? `signal ${signal}` : `code ${code}`);
      });
    });
    const announced = new Promise<number>((resolve) => {
      let printed = "";
      child.stdout.on("data", (chunk: Buffer) => {
        this.keep(chunk);
        if (printed === "found") return;
        printed += chunk.toString("latin1");
        const match = announcedUrl.exec(printed);
        // A port may arrive cut in two: only a complete line counts.
        if (!match || !printed.includes("\n", match.index)) return;
        printed = "found";
        resolve(Number(match[1]));
      });
    });
    child.stderr.on("data", (chunk: Buffer) => this.keep(chunk));
    const endedEarly = this.exited.then((how) => Promise.reject(new Error(`ended with ${how} before it listened`)));
    try {
      const started = Promise.race([announced, endedEarly]);
      this.port = await within(`${this.command.label} to listen`, started, this.options.startTimeout ?? 30_000);
    } catch (error) {
      throw this.explained(error);
    } finally {
      endedEarly.catch(() => {});
    }
  }

  private keep(chunk: Buffer): void {
    this.output = (this.output + chunk.toString("utf8")).slice(-keptOutput);
  }

  private explained(error: unknown): Error {
    const message = error instanceof Error ? error.message : String(error);
    return new Error(`${this.command.label}: ${message}\n--- its output ---\n${this.output}`, { cause: error });
  }
}
