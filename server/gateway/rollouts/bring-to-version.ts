/** One database and one version of its template: what is there afterwards is that version's, indexes and all. */
import { isDeepStrictEqual } from "node:util";
import { CouchError } from "../../../protocol/errors.js";
import { type DatabaseName, parseDocId } from "../../../protocol/ids.js";
import type { Backend, JsonDocument } from "../../backend/backend.js";
import type { DatabaseRegistry, ManagedDatabase } from "../databases/registry.js";
import { deployDesignDocument, type Template } from "../provisioning.js";
import { retryConflicts } from "../retry-conflicts.js";

export interface DeploymentParts {
  readonly backend: Backend;
  readonly registry: DatabaseRegistry;
  /** A version that was once in force. */
  versionOf(name: string, version: string): Promise<Template | undefined>;
}

/**
 * Safe to repeat, and to begin again after a crash at any step. Indexes are built before the design documents that define them take
 * the place of the old ones: no query waits for a whole index because of a rollout.
 */
export async function bringToVersion(
  { backend, registry, versionOf }: DeploymentParts,
  { name, template, version: before }: ManagedDatabase,
  { version, designDocuments }: Template,
): Promise<"changed" | "already there" | "gone"> {
  if (before === version) return "already there";
  const releases: (() => void)[] = [];
  try {
    for (const document of designDocuments) releases.push(await backend.prepareDesignDocument(name, document));
    for (const document of designDocuments) await deployDesignDocument(backend, name, document);
    const old = before === "" ? undefined : await versionOf(template, before);
    const kept = new Set(designDocuments.map(({ _id }) => _id));
    for (const document of old?.designDocuments ?? []) {
      if (!kept.has(document._id)) await withdraw(backend, name, document);
    }
  } catch (error) {
    if (error instanceof CouchError && error.error === "not_found" && !(await backend.databaseExists(name)))
      return "gone";
    throw error;
  } finally {
    for (const release of releases) release();
  }
  await registry.change(name, { version });
  return "changed";
}

/** Removes a design document that the template no longer has, unless somebody has made it their own. */
async function withdraw(backend: Backend, name: DatabaseName, document: JsonDocument): Promise<void> {
  await retryConflicts(async () => {
    const stored = await backend.getDocument(name, parseDocId(document._id));
    if (!stored) return;
    const { _rev, ...content } = stored;
    if (!isDeepStrictEqual(content, document)) return;
    await backend.putDocument(name, { _id: document._id, ...(_rev && { _rev }), _deleted: true });
  });
}
