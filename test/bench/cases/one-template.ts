import { deepEqual } from "node:assert/strict";
import { join } from "node:path";
import { loadTemplates } from "../../../server/gateway/design-docs/source.js";
import { repositoryRoot } from "../../helpers/repository-root.js";
import type { BenchCase, CaseContext } from "../bench-case.js";
import { documentsOf } from "../load/documents.js";

const clients = 16;
/** The first of so many parts fills the caches; the others must add nothing. */
const parts = 10;
const perDatabase = 5;

/** Every user opens a view of their own database, all made from one template; `--only one-template`. */
export const oneTemplate: BenchCase = {
  id: "one-template",
  onRequest: true,
  rows: [
    { id: "template-views", label: "10,000 databases of one template, a view opened in each", unit: "views/s" },
    { id: "template-first", label: "resident memory after the first 1,000", unit: "MB", lessIsBetter: true },
    { id: "template-rest", label: "added by the other 9,000", unit: "MB", goal: 64, lessIsBetter: true },
  ],
  async run(context) {
    const { load, createDatabases, peer, quick } = context;
    const count = quick ? 1000 : 10_000;
    const paths = await createDatabases(count);
    const [designDocument] =
      (await loadTemplates(join(repositoryRoot, "design-docs"))).get("user")?.designDocuments ?? [];
    await askAll(context, paths, (path) => load.prepare("PUT", `${path}/_design/app`, designDocument));
    const docs = documentsOf(0, perDatabase);
    await askAll(context, paths, (path) => load.prepare("POST", `${path}/_bulk_docs`, { docs }));

    const resident = (): number => peer.residentBytes() ?? Number.NaN;
    const began = performance.now();
    let first = Number.NaN;
    for (let part = 0; part < parts; part++) {
      const some = paths.slice((part * count) / parts, ((part + 1) * count) / parts);
      const last = await askAll(context, some, (path) => load.prepare("GET", `${path}/_design/app/_view/by-type`));
      deepEqual(last.json().rows, [{ key: null, value: perDatabase }]);
      if (part === 0) first = resident();
    }
    const seconds = (performance.now() - began) / 1000;
    return {
      "template-views": count / seconds,
      "template-first": first / 2 ** 20,
      "template-rest": (resident() - first) / 2 ** 20,
    };
  },
};

async function askAll(
  { load }: CaseContext,
  paths: readonly string[],
  request: (path: string) => ReturnType<CaseContext["load"]["prepare"]>,
) {
  return (await load.run(paths.map(request), clients)).last;
}
