import { deepEqual, equal, rejects } from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import nano from "nano";
import { type SetteeProcess, startSettee } from "../helpers/settee-process.js";

let settee: SetteeProcess;
let db: nano.DocumentScope<{ type: string }>;
before(async () => {
  settee = await startSettee();
  const server = nano(settee.adminUrl);
  await server.db.create("attachments");
  db = server.use("attachments");
});
after(() => settee.close());

test("an attachment is inserted, read, replaced and destroyed", async () => {
  const first = randomBytes(100_000);
  const inserted = await db.attachment.insert("picture", "a.png", first, "image/png");
  equal(first.equals(await db.attachment.get("picture", "a.png")), true);

  const second = randomBytes(10);
  const replaced = await db.attachment.insert("picture", "a.png", second, "image/png", { rev: inserted.rev });
  equal(second.equals(await db.attachment.get("picture", "a.png")), true);
  const streamed: Buffer[] = [];
  for await (const piece of db.attachment.getAsStream("picture", "a.png")) streamed.push(Buffer.from(piece));
  equal(second.equals(Buffer.concat(streamed)), true);

  const { _attachments } = await db.get("picture");
  deepEqual(_attachments["a.png"], {
    content_type: "image/png",
    revpos: 2,
    digest: `md5-${createHash("md5").update(second).digest("base64")}`,
    length: 10,
    stub: true,
  });
  await db.attachment.destroy("picture", "a.png", { rev: replaced.rev });
  await rejects(db.attachment.get("picture", "a.png"), { statusCode: 404 });
});

test("a document and its attachments are inserted in one multipart request, and read so", async () => {
  const files = [
    { name: "small.bin", data: randomBytes(100), content_type: "application/octet-stream" },
    { name: "large.bin", data: randomBytes(300_000), content_type: "application/octet-stream" },
    { name: "empty.bin", data: Buffer.alloc(0), content_type: "application/octet-stream" },
  ];
  const inserted = await db.multipart.insert({ type: "album" }, files, "album");
  equal(inserted.ok, true);
  for (const { name, data } of files) equal(data.equals(await db.attachment.get("album", name)), true, name);

  const { _attachments, type } = await db.get("album", { attachments: true });
  equal(type, "album");
  for (const { name, data } of files) equal(_attachments[name].data, data.toString("base64"), name);
  const multipart = String(await db.multipart.get("album"));
  const parts = multipart.split(/\r\n--[0-9a-f]+(?:--)?/).length;
  equal(parts >= files.length + 1, true, "the document and each attachment is a part");
});
