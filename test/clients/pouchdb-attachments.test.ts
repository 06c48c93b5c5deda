import { deepEqual, equal } from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import { newDevice, type Pouch, type PouchAttachment, type PouchDocument } from "../helpers/pouchdb-device.js";
import { type SetteeProcess, startSettee } from "../helpers/settee-process.js";
import { note, ownDatabase, signUp } from "./users.js";

let settee: SetteeProcess;
before(async () => {
  settee = await startSettee();
});
after(() => settee.close());

const megabyte = 2 ** 20;

test("10 MB of attachments travel both ways and keep their digests", async () => {
  const ada = await signUp(settee, "ada");
  const server = ownDatabase(settee, ada);
  const phone = newDevice();
  const laptop = newDevice();
  const fromPhone = album("phone");
  const fromLaptop = album("laptop");
  for (const document of fromPhone) await phone.put(document);
  for (const document of fromLaptop) await laptop.put(document);

  await phone.replicate.to(server);
  await laptop.replicate.to(server);
  await laptop.replicate.from(server);
  await phone.replicate.from(server);

  await verify(laptop, fromPhone);
  await verify(phone, fromLaptop);
  await verify(server, [...fromPhone, ...fromLaptop]);
  deepEqual(await digests(laptop, fromPhone), await digests(phone, fromPhone));
  deepEqual(await digests(laptop, fromLaptop), await digests(phone, fromLaptop));
});

test("an edit of the text alone sends no attachment again and keeps it", async () => {
  const bob = await signUp(settee, "bob");
  const server = ownDatabase(settee, bob);
  const phone = newDevice();
  const laptop = newDevice();
  const [picture] = album("bob") as [PouchDocument];
  await phone.put(picture);
  await phone.replicate.to(server);
  const onServer = await server.get(picture._id);
  await server.put({ ...onServer, text: "a better caption" });
  await laptop.replicate.from(server);
  equal((await laptop.get(picture._id)).text, "a better caption");
  await verify(laptop, [picture]);
});

/** 10 MB: one large file, some middling ones, many small ones and a text, which a server may keep compressed. */
function album(prefix: string): readonly PouchDocument[] {
  const small = Array.from({ length: 20 }, (_, index) => [`thumb-${index}.jpg`, file("image/jpeg", 50_000)] as const);
  const text: PouchAttachment = {
    content_type: "text/plain",
    data: Buffer.from("over and over again\n".repeat(20_000)),
  };
  return [
    { ...note(`${prefix}-large`, "one"), _attachments: { "film.mp4": file("video/mp4", 5 * megabyte) } },
    {
      ...note(`${prefix}-middle`, "three"),
      _attachments: {
        "a.png": file("image/png", megabyte),
        "b c.png": file("image/png", megabyte),
        "ü/d.png": file("image/png", megabyte),
      },
    },
    { ...note(`${prefix}-small`, "many"), _attachments: Object.fromEntries([...small, ["log.txt", text]]) },
  ];
}

function file(type: string, size: number): PouchAttachment {
  return { content_type: type, data: randomBytes(size) };
}

async function verify(replica: Pouch, documents: readonly PouchDocument[]): Promise<void> {
  for (const { _id, _attachments } of documents) {
    for (const [name, { data }] of Object.entries(_attachments ?? {})) {
      const stored = await replica.getAttachment(_id, name);
      equal(md5(stored), md5(data as Buffer), `${name} of ${_id}`);
    }
  }
}

async function digests(replica: Pouch, documents: readonly PouchDocument[]): Promise<readonly (string | undefined)[]> {
  const stored = await Promise.all(documents.map(({ _id }) => replica.get(_id)));
  return stored.flatMap(({ _attachments }) =>
    Object.entries(_attachments ?? {})
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, { digest }]) => `${name} ${digest}`),
  );
}

function md5(bytes: Buffer): string {
  return createHash("md5").update(bytes).digest("base64");
}
