import { equal } from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { type BenchCase, rateOf } from "../bench-case.js";

const size = 1024 * 1024;
const clients = 4;
const type = "application/octet-stream";

/** A megabyte unlike the others: a store that keeps equal contents once must not profit from it here. */
function content(number: number): Buffer {
  const bytes = Buffer.from(base);
  bytes.writeUInt32BE(number);
  return bytes;
}
const base = randomBytes(size);

export const putAttachment: BenchCase = {
  id: "attachment-put",
  rows: [{ id: "attachment-put", label: "PUT attachment of 1 MB, four clients", unit: "attachments/s", goal: 200 }],
  async run({ load, median, createDatabase, roundTime, quick }) {
    const database = await createDatabase();
    const perRound = quick ? 40 : 200;
    let next = 0;
    let stored = 0;
    const rate = await median(async () => {
      const from = next;
      next += perRound;
      const requests = Array.from({ length: perRound }, (_, offset) =>
        load.prepare("PUT", `${database}/file-${from + offset}/content`, content(from + offset), type),
      );
      const result = await load.run(requests, clients, roundTime);
      stored += result.sent;
      const last = from + result.sent - 1;
      const reply = await load.ask("GET", `${database}/file-${last}/content`);
      equal(reply.body().equals(content(last)), true, `file-${last} came back as it was sent`);
      return rateOf(result);
    });
    equal((await load.ask("GET", database)).json().doc_count, stored);
    return { "attachment-put": rate };
  },
};

export const getAttachment: BenchCase = {
  id: "attachment-get",
  rows: [{ id: "attachment-get", label: "GET attachment of 1 MB, four clients", unit: "attachments/s", goal: 600 }],
  async run({ load, median, createDatabase, roundTime }) {
    const database = await createDatabase();
    const count = 32;
    for (let number = 0; number < count; number += 1) {
      const put = load.prepare("PUT", `${database}/file-${number}/content`, content(number), type);
      await load.run([put], 1);
    }
    const requests = Array.from({ length: 2000 }, (_, index) =>
      load.prepare("GET", `${database}/file-${index % count}/content`),
    );
    const rate = await median(async () => {
      const result = await load.run(requests, clients, roundTime);
      const body = result.last.body();
      equal(body.equals(content(body.readUInt32BE())), true, "it came back as it was sent");
      return rateOf(result);
    });
    return { "attachment-get": rate };
  },
};
