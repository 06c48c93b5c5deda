import { loadTemplates } from "../design-docs/source.js";
import type { Template } from "../provisioning.js";

/** The operator's folder of templates, and whose functions are from there: databases made from one template run them in one realm. */
export class TemplateFolder {
  readonly #folder: string;
  /** Those of earlier versions too: databases have them until a rollout comes by. */
  readonly #shared = new Map<string, string>();

  /** What `open` read, for the first who asks. */
  #read: ReadonlyMap<string, Template> | undefined;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** @throws TemplateError */
  static async open(folder: string): Promise<TemplateFolder> {
    const opened = new TemplateFolder(folder);
    opened.#read = await opened.load();
    return opened;
  }

  /** What is there now. @throws TemplateError */
  async load(): Promise<ReadonlyMap<string, Template>> {
    const templates = this.#read ?? (await loadTemplates(this.#folder));
    this.#read = undefined;
    for (const template of templates.values()) this.#share(template);
    return templates;
  }

  /** Names the realm of a function that is from this folder. */
  shareKeyOf(source: string): string | undefined {
    return this.#shared.get(source);
  }

  #share({ name, designDocuments }: Template): void {
    for (const { _id, validate_doc_update, views = {} } of designDocuments) {
      const ofViews = Object.values(views as Record<string, Record<string, unknown>>);
      for (const source of [validate_doc_update, ...ofViews.flatMap(({ map, reduce }) => [map, reduce])]) {
        if (typeof source === "string") this.#shared.set(source, `${name}/${_id}`);
      }
    }
  }
}
