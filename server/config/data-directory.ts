/** Small facts that are made once and kept beside the data: the secret, and the name of this server. */
import { randomBytes } from "node:crypto";
import { chmodSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Makes the directory, for its owner alone: it holds the secret and everybody's data. */
export function openDataDirectory(dataDir: string): void {
  if (mkdirSync(dataDir, { recursive: true, mode: 0o700 }) !== undefined) chmodSync(dataDir, 0o700);
}

/** Signs cookies and tokens: 256 bits, in the file `secret`, for its owner alone. */
export function keptSecret(dataDir: string): string {
  return kept(dataDir, "secret", () => randomBytes(32).toString("base64url"));
}

/** Names this server to replicators: 32 hexadecimal digits, in the file `uuid`. */
export function keptUuid(dataDir: string): string {
  return kept(dataDir, "uuid", () => randomBytes(16).toString("hex"));
}

function kept(dataDir: string, name: string, make: () => string): string {
  const file = join(dataDir, name);
  const known = read(file);
  if (known !== undefined) return known;
  // Written beside and then linked: a crash half way leaves no half a secret, and of two starts at once one wins.
  const draft = `${file}.${randomBytes(6).toString("hex")}`;
  try {
    writeFileSync(draft, `${make()}\n`, { mode: 0o600, flag: "wx", flush: true });
    linkSync(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    rmSync(draft, { force: true });
  }
  const made = read(file);
  if (made === undefined) throw new Error(`${file} is empty.`);
  return made;
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8").trim() || undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
