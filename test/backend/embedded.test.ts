import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { EmbeddedBackend } from "../../server/backend/embedded.js";
import { Indexes } from "../../server/query/indexes/indexes.js";
import { DesignViews } from "../../server/query/views/design-views.js";
import { Sandbox } from "../../server/sandbox/sandbox.js";
import { edit } from "../helpers/incoming-revisions.js";
import { openTestStore } from "../helpers/temp-store.js";

const design = { _id: "_design/v", views: { n: { map: "function (doc) { emit(doc.n, null); }" } } } as const;

async function world(
  t: Parameters<typeof openTestStore>[0] & { after(end: () => Promise<void>): void },
  count: number,
) {
  const sandbox = new Sandbox({ workers: 1 });
  t.after(() => sandbox.close());
  const { databases, database } = await openTestStore(t);
  const indexes = new Indexes(databases);
  const designViews = new DesignViews({ sandbox });
  const documents = Array.from({ length: count }, (_, n) => edit(`doc-${n}`, { body: { n } }));
  await database.write(documents, "trusted");
  const backend = new EmbeddedBackend(databases, { indexes, designViews });
  const { definition } = designViews.parse(database, design._id, design);
  return { backend, database, indexes, definition };
}

describe("preparing a design document", () => {
  it("builds its index before the document is there, and keeps it until it is let go", async (t) => {
    const { backend, database, indexes, definition } = await world(t, 1001);
    const release = await backend.prepareDesignDocument(database.name, design);
    assert.equal((await indexes.find(database, definition))?.lag, 0);
    assert.equal(database.find(design._id), undefined);
    const nothing = async () => new Set<string>();
    await indexes.cleanUp(database, nothing);
    assert.ok(await indexes.find(database, definition));
    release();
    await indexes.cleanUp(database, nothing);
    assert.equal(await indexes.find(database, definition), undefined);
  });

  it("leaves a small database to the first who asks", async (t) => {
    const { backend, database, indexes, definition } = await world(t, 10);
    (await backend.prepareDesignDocument(database.name, design))();
    assert.equal(await indexes.find(database, definition), undefined);
  });

  it("fails where a function does not compile, and keeps nothing", async (t) => {
    const { backend, database, indexes } = await world(t, 1001);
    const broken = { ...design, views: { n: { map: "function (" } } };
    await assert.rejects(backend.prepareDesignDocument(database.name, broken), /compilation_error/);
    assert.equal(await indexes.cleanUp(database, async () => new Set()), 0);
  });
});
