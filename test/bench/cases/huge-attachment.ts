import { equal } from "node:assert/strict";
import type { BenchCase, BenchRow, CaseContext } from "../bench-case.js";
import { Connection } from "../load/connection.js";
import { growthOf } from "../load/growth.js";
import { quantile } from "../load/quantile.js";
import { md5Of, noise, receiveBody, sendBody } from "../load/streamed-body.js";

const boundary = "the-boundary";
const binary = { "content-type": "application/octet-stream" };
const ways = [
  { id: "put", label: "PUT of 1 GB, its length known" },
  { id: "chunked", label: "PUT in chunks" },
  { id: "related", label: "PUT as multipart/related" },
  { id: "text", label: "PUT as text, stored compressed" },
  { id: "get", label: "GET" },
  { id: "get-related", label: "GET as multipart/related" },
  { id: "get-text", label: "GET of the text, decompressed" },
];

/** An attachment as large as they may be: the memory that it takes, and those who ask small things meanwhile; `--only huge-attachment`. */
export const hugeAttachment: BenchCase = {
  id: "huge-attachment",
  onRequest: true,
  rows: [
    ...ways.flatMap(rowsOf),
    { id: "huge-range", label: "the last megabyte of it by a range", unit: "ms", lessIsBetter: true },
    { id: "huge-meanwhile", label: "small requests meanwhile: p99", unit: "ms", goal: 50, lessIsBetter: true },
  ],
  async run(context) {
    const { createDatabase, note, peer, quick } = context;
    const length = quick ? 2 ** 27 : 2 ** 30;
    const digest = md5Of(noise(length));
    const database = await createDatabase();
    const values: Record<string, number> = {};
    const latencies: number[] = [];
    const measure = async (id: string, work: () => Promise<{ readonly seconds: number }>): Promise<void> => {
      // Memory that was used before would hide what is used again.
      context.load.close();
      await peer.restart();
      await context.load.ask("GET", "/_all_dbs");
      const { result, growth } = await growthOf(peer, () => meanwhile(context, latencies, work));
      values[`huge-${id}-rss`] = growth / 2 ** 20;
      values[`huge-${id}-rate`] = length / 1e6 / result.seconds;
      note(`${id}: ${(growth / 2 ** 20).toFixed(1)} MB, ${result.seconds.toFixed(1)} s`);
    };
    const put = async (path: string, headers: object, body: Iterable<Buffer>) => {
      const sent = await sendBody(peer.target, `${database}/${path}`, headers as Record<string, string>, body);
      equal(sent.status, 201, sent.text);
      return sent;
    };
    const get = async (path: string, headers: Record<string, string> = {}) => {
      const received = await receiveBody(peer.target, `${database}/${path}`, headers);
      equal(received.status, 200);
      return received;
    };
    const whole = async (path: string) => {
      const received = await get(path);
      equal(received.bytes, length);
      equal(received.md5, digest);
      return received;
    };

    const sized = { ...binary, "content-length": length };
    await measure("put", () => put("sized/file", sized, noise(length)));
    await measure("chunked", () => put("chunked/file", binary, noise(length)));
    const related = { "content-type": `multipart/related;boundary=${boundary}` };
    await measure("related", () => put("related", related, relatedBody(length)));
    await measure("text", () => put("text/file", { ...sized, "content-type": "text/plain" }, noise(length)));
    await measure("get", () => whole("sized/file"));
    await measure("get-related", () => get("related?attachments=true", { accept: "multipart/related" }));
    await measure("get-text", () => whole("text/file"));

    for (const document of ["chunked", "related"]) {
      const { _attachments } = (await context.load.ask("GET", `${database}/${document}`)).json();
      equal(_attachments.file.digest, `md5-${digest}`, document);
    }
    const range = { range: `bytes=${length - 2 ** 20}-` };
    const last = await receiveBody(peer.target, `${database}/chunked/file`, range);
    equal(last.status, 206);
    equal(last.bytes, 2 ** 20);
    values["huge-range"] = last.seconds * 1000;
    if (!quick) {
      const tooLarge = { ...binary, "content-length": length + 1 };
      const refused = await sendBody(peer.target, `${database}/more/file`, tooLarge, noise(length + 1));
      equal(refused.status, 413, refused.text);
      const unsized = await sendBody(peer.target, `${database}/more/file`, binary, noise(length + 1));
      equal(unsized.status, 413, unsized.text);
    }
    values["huge-meanwhile"] = quantile(latencies, 0.99);
    return values;
  },
};

function rowsOf({ id, label }: (typeof ways)[number]): readonly BenchRow[] {
  return [
    { id: `huge-${id}-rss`, label: `${label}: memory added`, unit: "MB", goal: 64, lessIsBetter: true },
    { id: `huge-${id}-rate`, label: "the same", unit: "MB/s" },
  ];
}

function* relatedBody(length: number): Generator<Buffer> {
  const attachments = { file: { follows: true, length, content_type: binary["content-type"] } };
  yield Buffer.from(
    `--${boundary}\r\nContent-Type: application/json\r\n\r\n${JSON.stringify({ _attachments: attachments })}\r\n--${boundary}\r\n\r\n`,
  );
  yield* noise(length);
  yield Buffer.from(`\r\n--${boundary}--`);
}

async function meanwhile<T>({ load, peer }: CaseContext, latencies: number[], work: () => Promise<T>): Promise<T> {
  const connection = await Connection.open(peer.target.url);
  const request = load.prepare("GET", "/_all_dbs");
  let working = true;
  const asking = async (): Promise<void> => {
    while (working) {
      const sent = performance.now();
      equal((await connection.send(request)).status, 200);
      latencies.push(performance.now() - sent);
    }
  };
  const asked = asking();
  try {
    return await work();
  } finally {
    working = false;
    await asked;
    connection.close();
  }
}
