import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { open, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CouchError } from "../../protocol/errors.js";
import { type Config, ConfigError } from "../config.js";
import {
  allSettings,
  canonicalSection,
  findSetting,
  isLockedSection,
  type LiveSetting,
  nameOf,
  type RuntimeSetting,
  type ServerFacts,
  withValue,
} from "./runtime-settings.js";
import { settingsSchema } from "./settings.js";

/** Section to key to value, all texts. */
export type ConfigSections = Readonly<Record<string, Readonly<Record<string, string>>>>;

export interface ChangeOptions {
  /** False: until the server stops or reads the file again, and no longer. */
  readonly kept?: boolean;
}

interface Override {
  readonly text: string;
  readonly kept: boolean;
}

type Overrides = ReadonlyMap<LiveSetting, Override>;

const fileName = "runtime-config.json";
const maxLength = 4096;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it refuses
const controlCharacter = /[\u0000-\u001f\u007f\u2028\u2029]/;

/**
 * The configuration in force: what the server was started with, and on top of it what administrators changed through
 * `_node/_local/_config`. Changes are kept in `runtime-config.json` in the data directory and win over file and environment until
 * they are deleted.
 */
export class RuntimeConfig {
  readonly #base: Config;
  readonly #facts: ServerFacts;
  readonly #file: string;
  readonly #listeners = new Set<(config: Config) => void>();
  #overrides: Overrides;
  #current: Config;
  /** Changes are made one after the other. */
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(base: Config, facts: ServerFacts, overrides: Overrides) {
    this.#base = base;
    this.#facts = facts;
    this.#file = join(base.dataDir, fileName);
    this.#overrides = overrides;
    this.#current = configWith(base, overrides);
  }

  /** @throws ConfigError when what is kept cannot be understood */
  static open(base: Config, facts: ServerFacts): RuntimeConfig {
    const file = join(base.dataDir, fileName);
    try {
      return new RuntimeConfig(base, facts, readOverrides(file));
    } catch (error) {
      throw error instanceof CouchError ? new ConfigError(`${file}: ${error.reason}`, { cause: error }) : error;
    }
  }

  get current(): Config {
    return this.#current;
  }

  /** Calls `listener` after each change. */
  subscribe(listener: (config: Config) => void): void {
    this.#listeners.add(listener);
  }

  sections(): ConfigSections {
    const sections: Record<string, Record<string, string>> = {};
    for (const setting of allSettings) {
      const section = sections[setting.section] ?? {};
      sections[setting.section] = section;
      section[setting.key] = this.#show(setting);
    }
    return sections;
  }

  /** Empty for one that there is not, as in CouchDB. */
  section(name: string): Readonly<Record<string, string>> {
    const known = this.sections();
    const section = canonicalSection(name);
    return Object.hasOwn(known, section) ? (known[section] as Readonly<Record<string, string>>) : {};
  }

  get(section: string, key: string): string | undefined {
    const setting = findSetting(section, key);
    return setting && this.#show(setting);
  }

  /** In force and on disk when it resolves, to the value before. @throws CouchError bad_request, forbidden */
  set(section: string, key: string, value: string, { kept = true }: ChangeOptions = {}): Promise<string> {
    return this.#inTurn(async () => {
      const text = value.trim();
      if (text.length > maxLength || controlCharacter.test(text)) {
        throw new CouchError("bad_request", `A value is one line of at most ${maxLength} characters.`);
      }
      const setting = this.#existing(section, key);
      const before = this.#show(setting);
      if ("fixed" in setting) {
        // Setup scripts write what is so already.
        if (text === before) return before;
        throw new CouchError("forbidden", `${nameOf(setting)} cannot be changed. ${setting.fixed}`);
      }
      await this.#become(new Map([...this.#overrides, [setting, { text, kept }]]));
      return before;
    });
  }

  /** Back to what the server was started with; resolves to the value before. @throws CouchError not_found, forbidden */
  remove(section: string, key: string): Promise<string> {
    return this.#inTurn(async () => {
      const setting = findSetting(section, key);
      if (!setting) throw new CouchError("not_found", "unknown_config_value");
      if ("fixed" in setting)
        throw new CouchError("forbidden", `${nameOf(setting)} cannot be removed. ${setting.fixed}`);
      const before = this.#show(setting);
      const overrides = new Map(this.#overrides);
      if (overrides.delete(setting)) await this.#become(overrides);
      return before;
    });
  }

  /** Reads again what is kept; changes that were not kept are gone. @throws CouchError bad_request */
  reload(): Promise<void> {
    return this.#inTurn(async () => {
      try {
        this.#use(readOverrides(this.#file));
      } catch (error) {
        throw error instanceof ConfigError ? new CouchError("bad_request", error.message, { cause: error }) : error;
      }
    });
  }

  #existing(section: string, key: string): RuntimeSetting {
    const setting = findSetting(section, key);
    if (setting) return setting;
    if (isLockedSection(section)) {
      throw new CouchError("forbidden", `Config section ${section} cannot be changed over HTTP.`);
    }
    throw new CouchError("bad_request", `There is no setting ${nameOf({ section, key })} here.`);
  }

  #show(setting: RuntimeSetting): string {
    // As it was written: a text that stands for the same value may be another one.
    return (
      ("path" in setting ? this.#overrides.get(setting)?.text : undefined) ?? setting.show(this.#current, this.#facts)
    );
  }

  /** On disk first: what is in force must not be undone by a restart. */
  async #become(overrides: Overrides): Promise<void> {
    configWith(this.#base, overrides);
    await this.#keep(overrides);
    this.#use(overrides);
  }

  #use(overrides: Overrides): void {
    this.#current = configWith(this.#base, overrides);
    this.#overrides = overrides;
    for (const listener of this.#listeners) listener(this.#current);
  }

  /** Written beside and then renamed: a crash half way leaves the former file. */
  async #keep(overrides: Overrides): Promise<void> {
    const sections: Record<string, Record<string, string>> = {};
    for (const [{ section, key }, { text, kept }] of overrides) {
      if (kept) sections[section] = { ...sections[section], [key]: text };
    }
    const draft = `${this.#file}.${randomBytes(6).toString("hex")}`;
    try {
      await writeFile(draft, `${JSON.stringify(sections, null, 2)}\n`, { mode: 0o600, flag: "wx", flush: true });
      await rename(draft, this.#file);
      const directory = await open(this.#base.dataDir);
      await directory.sync().finally(() => directory.close());
    } finally {
      await rm(draft, { force: true });
    }
  }

  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(change);
    this.#turn = mine.catch(() => undefined);
    return mine;
  }
}

/** @throws CouchError bad_request for a value that its setting cannot have */
function configWith(base: Config, overrides: Overrides): Config {
  let config = base;
  for (const [setting, { text }] of overrides) {
    const value = setting.read(text);
    if (value === undefined) throw new CouchError("bad_request", `${nameOf(setting)} cannot have that value.`);
    const parsed = settingsSchema.safeParse(withValue(config, setting.path, value));
    if (!parsed.success) throw new CouchError("bad_request", `${nameOf(setting)} ${parsed.error.issues[0]?.message}.`);
    config = parsed.data as Config;
  }
  return config;
}

function readOverrides(file: string): Overrides {
  const overrides = new Map<LiveSetting, Override>();
  for (const [section, keys] of Object.entries(readSections(file))) {
    for (const [key, text] of Object.entries(keys)) {
      const setting = findSetting(section, key);
      if (!setting || "fixed" in setting || typeof text !== "string") {
        throw new ConfigError(`${file}: ${nameOf({ section, key })} is no setting that can be changed at run time.`);
      }
      overrides.set(setting, { text, kept: true });
    }
  }
  return overrides;
}

function readSections(file: string): ConfigSections {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return {};
    throw new ConfigError(`${file} cannot be read.`, { cause: error });
  }
  try {
    const value: unknown = JSON.parse(text);
    const sections = typeof value === "object" && value !== null ? Object.values(value) : [undefined];
    if (sections.every((keys) => typeof keys === "object" && keys !== null)) return value as ConfigSections;
  } catch (error) {
    throw new ConfigError(`${file} is not JSON.`, { cause: error });
  }
  throw new ConfigError(`${file} must hold sections of settings.`);
}
