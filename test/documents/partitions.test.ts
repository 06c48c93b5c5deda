import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseDatabaseName } from "../../protocol/ids.js";
import { checkPartitionedId, idsOfPartition } from "../../server/documents/partitions.js";
import { edit, replicated } from "../helpers/incoming-revisions.js";
import { openTestStore } from "../helpers/temp-store.js";

describe("ids of a partitioned database", () => {
  const good = ["p:a", "p:a:b", "é:a", "p 1:a", "p/1:a", "p::", "_design/d", "_design/a:b"];
  const bad: readonly (readonly [id: string, error: string])[] = [
    ["abc", "illegal_docid"],
    ["abc:", "illegal_docid"],
    [":abc", "illegal_partition"],
    [":", "illegal_partition"],
    ["_p:a", "illegal_partition"],
  ];
  it("are a partition, a colon and an id", () => {
    for (const id of good) checkPartitionedId(id);
    for (const [id, error] of bad) assert.throws(() => checkPartitionedId(id), { error, status: 400 }, id);
  });

  it("are asked of every write: one bad id refuses the request before anything is written", async (t) => {
    const { databases } = await openTestStore(t);
    const database = await databases.create(parseDatabaseName("parts"), { partitioned: true });
    for (const bad of [edit("bad"), replicated("bad", "1-a"), edit("bad", { deleted: true })]) {
      await assert.rejects(database.write([edit("p:good"), bad], "trusted"), { error: "illegal_docid" });
    }
    assert.equal(database.updateSeq, 0);
    await database.write([edit("p:good"), edit("_design/d")], "trusted");
    await database.writeLocal("any", Buffer.from("{}"));
    assert.equal(database.updateSeq, 2);
  });

  it("of one partition stand between its bounds, and no others", async (t) => {
    const { databases } = await openTestStore(t);
    const database = await databases.create(parseDatabaseName("parts"), { partitioned: true });
    const ids = ["p:a", "p:\u{10ffff}", "p9:a", "p/:a", "pp:a", "o:a", "q:a"];
    await database.write(
      ids.map((id) => edit(id)),
      "trusted",
    );
    const found: string[] = [];
    for await (const documents of database.documents(idsOfPartition("p"))) found.push(...documents.map(({ id }) => id));
    assert.deepEqual(found, ["p:a", "p:\u{10ffff}"]);
  });
});
