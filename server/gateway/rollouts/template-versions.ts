/**
 * Which version of each template is in force. Versions are kept in `settee_rollouts`, so that every gateway over the same databases
 * deploys the same one, and that an older one can be put in force again after its files are gone:
 *
 *   template-NAME        the version in force, and the one that was found in the folder last
 *   version-HASH-NAME    the design documents of a version
 */
import { type DocId, parseDocId } from "../../../protocol/ids.js";
import type { Backend, JsonDocument } from "../../backend/backend.js";
import type { Template, Templates } from "../provisioning.js";
import { isConflict, retryConflicts } from "../retry-conflicts.js";
import { rolloutsDatabase } from "../system-databases.js";

interface TemplateDocument extends JsonDocument {
  readonly template: string;
  /** In force. */
  readonly version: string;
  /** Found in the folder last: another one there is a new version, the same one is not, whatever is in force. */
  readonly found: string;
  /** In force before; none: this is the first. */
  readonly previous?: string;
}

interface VersionDocument extends JsonDocument {
  readonly template: string;
  readonly version: string;
  readonly design_documents: readonly JsonDocument[];
}

/** A template that came to another version. */
export interface VersionChange {
  readonly template: string;
  readonly version: string;
  readonly previous: string;
}

const templatePrefix = "template-";
const afterTemplates = "template.";

export class TemplateVersions implements Templates {
  readonly #backend: Backend;
  readonly #onError: (error: unknown) => void;
  readonly #current = new Map<string, Template>();
  #unsubscribe: (() => void) | undefined;

  /** `onError` is told of news of other gateways that could not be read. */
  constructor(backend: Backend, onError: (error: unknown) => void) {
    this.#backend = backend;
    this.#onError = onError;
  }

  /** Reads what is in force and follows what other gateways put in force. */
  async start(): Promise<void> {
    this.#unsubscribe = this.#backend.subscribe(rolloutsDatabase, ({ id }) => {
      if (id.startsWith(templatePrefix)) this.#refresh(id).catch(this.#onError);
    });
    const range = { from: templatePrefix, to: afterTemplates };
    for (const document of await this.#backend.listDocuments<TemplateDocument>(rolloutsDatabase, range)) {
      await this.#hold(document);
    }
  }

  close(): void {
    this.#unsubscribe?.();
  }

  /** The one in force. */
  get(name: string): Template | undefined {
    return this.#current.get(name);
  }

  get names(): readonly string[] {
    return [...this.#current.keys()].sort();
  }

  /** Puts in force what is new in the folder. */
  async take(found: ReadonlyMap<string, Template>): Promise<void> {
    for (const template of found.values()) await this.#take(template);
  }

  /** Puts a version in force that was once found; false when it is not known any more. */
  async putInForce(name: string, version: string): Promise<boolean> {
    const template = await this.versionOf(name, version);
    if (template) await this.#put(template, undefined);
    return template !== undefined;
  }

  /** The last change of each template that is not at its first version. */
  async changes(): Promise<readonly VersionChange[]> {
    const range = { from: templatePrefix, to: afterTemplates };
    const documents = await this.#backend.listDocuments<TemplateDocument>(rolloutsDatabase, range);
    return documents.flatMap(({ template, version, previous }) =>
      previous === undefined ? [] : [{ template, version, previous }],
    );
  }

  /** A version that was once found. */
  async versionOf(name: string, version: string): Promise<Template | undefined> {
    const document = await this.#backend.getDocument<VersionDocument>(rolloutsDatabase, versionId(name, version));
    return document && { name, version, designDocuments: document.design_documents };
  }

  async #take(template: Template): Promise<void> {
    const { name, version, designDocuments } = template;
    const known = await this.#backend.getDocument<TemplateDocument>(rolloutsDatabase, templateId(name));
    if (known?.found === version) {
      await this.#hold(known);
      return;
    }
    // Its documents before its name: whoever reads that it is in force must find them.
    try {
      const _id = versionId(name, version);
      await this.#backend.putDocument(rolloutsDatabase, {
        _id,
        template: name,
        version,
        design_documents: designDocuments,
      });
    } catch (error) {
      if (!isConflict(error)) throw error;
    }
    await this.#put(template, version);
  }

  async #put(template: Template, found: string | undefined): Promise<void> {
    const { name, version } = template;
    await retryConflicts(async () => {
      const known = await this.#backend.getDocument<TemplateDocument>(rolloutsDatabase, templateId(name));
      await this.#backend.putDocument(rolloutsDatabase, {
        ...known,
        _id: templateId(name),
        template: name,
        version,
        found: found ?? known?.found ?? version,
        ...(known && known.version !== version ? { previous: known.version } : {}),
      });
    });
    this.#current.set(name, template);
  }

  async #refresh(id: string): Promise<void> {
    const document = await this.#backend.getDocument<TemplateDocument>(rolloutsDatabase, parseDocId(id));
    if (document) await this.#hold(document);
  }

  async #hold({ template: name, version }: TemplateDocument): Promise<void> {
    if (this.#current.get(name)?.version === version) return;
    const template = await this.versionOf(name, version);
    if (template) this.#current.set(name, template);
  }
}

function templateId(name: string): DocId {
  return parseDocId(templatePrefix + name);
}

function versionId(name: string, version: string): DocId {
  return parseDocId(`version-${version}-${name}`);
}
