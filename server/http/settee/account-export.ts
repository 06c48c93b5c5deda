/**
 * `GET /_settee/account/export`: everything that a user has here, as one zip file that is made while it is sent. Nothing of
 * it is held but what is on its way.
 */
import { makeZip } from "client-zip";
import { z } from "zod";
import { CouchError } from "../../../protocol/errors.js";
import { parseDatabaseName, type UserName } from "../../../protocol/ids.js";
import { streamAttachment } from "../../documents/attachments/read-attachment.js";
import { ByteWriter } from "../../documents/bytes.js";
import type { Database, StoredDocument } from "../../documents/database.js";
import { leavesOf, type RevisionNode, revOf } from "../../documents/revisions/tree.js";
import { showRevision } from "../../documents/show-document.js";
import type { Call, Reply } from "../call.js";
import { askerOf, ownName } from "./asker.js";
import { described } from "./endpoint.js";

interface ZipEntry {
  readonly name: string;
  readonly input: string | AsyncIterable<Uint8Array>;
}

const newline = "\n";

export const getAccountExport = described(
  {
    summary: "A zip file: the account, its activity, and of each database its documents (a line each) and attachments.",
    need: "user",
    reply: z.string(),
    replyType: "application/zip",
    errors: ["not_found"],
  },
  async (call): Promise<Reply> => {
    const name = await ownName(call);
    await call.services.gateway.people.activity.record(name, "exported", askerOf(call).address);
    return {
      status: 200,
      headers: {
        "Content-Type": "application/zip",
        "Content-Disposition": 'attachment; filename="account.zip"',
        "Cache-Control": "no-store",
      },
      body: makeZip(entries(call, name)) as AsyncIterable<Uint8Array>,
    };
  },
);

async function* entries(call: Call, name: UserName): AsyncGenerator<ZipEntry> {
  const { people } = call.services.gateway;
  const document = await people.own.document(name);
  yield { name: "account.json", input: JSON.stringify(document, undefined, 2) };
  yield { name: "activity.json", input: JSON.stringify(await people.activity.of(name), undefined, 2) };
  const { databases } = await people.own.describe(name);
  for (const each of databases) {
    const database = await opened(call, each);
    if (!database) continue;
    yield { name: `databases/${each}/documents.ndjson`, input: lines(database) };
    yield* attachments(database, `databases/${each}/attachments`);
  }
}

/** One that the account has been promised, and that is not made yet, is no database. */
async function opened({ services }: Call, name: string): Promise<Database | undefined> {
  try {
    return await services.databases.open(parseDatabaseName(name));
  } catch (error) {
    if (error instanceof CouchError && error.error === "not_found") return undefined;
    throw error;
  }
}

/** A document in each line: its winner, and the leaves that lost a conflict, each with its revisions. */
async function* lines(database: Database): AsyncGenerator<Uint8Array> {
  for await (const documents of database.documents({ step: 100 })) {
    const out = new ByteWriter(64 * 1024);
    for (const document of documents) {
      for (const { index, value } of leaves(database, document)) {
        await showRevision(out, database, { document, index, value }, { revs: true });
        out.latin1(newline);
      }
    }
    yield out.take();
  }
}

async function* attachments(database: Database, folder: string): AsyncGenerator<ZipEntry> {
  for await (const documents of database.documents({ step: 100 })) {
    for (const document of documents) {
      for (const { index, value } of leaves(database, document)) {
        const rev = revOf(document.record.tree[index] as RevisionNode);
        for (const info of value.attachments) {
          const path = [document.id, rev, info.name].map(fileName).join("/");
          yield { name: `${folder}/${path}`, input: streamAttachment(database, info, true) };
        }
      }
    }
  }
}

/** Local documents are checkpoints of replications; they belong to no one's data. */
function* leaves(database: Database, document: StoredDocument) {
  const { tree } = document.record;
  for (const index of leavesOf(tree)) {
    const value = (tree[index] as RevisionNode).deleted ? undefined : database.value(document, index);
    if (value) yield { index, value };
  }
}

/** An id with slashes or dots must not become a path on the disk of whoever unpacks the file. */
function fileName(text: string): string {
  const encoded = encodeURIComponent(text);
  return /^\.+$/.test(encoded) ? encoded.replaceAll(".", "%2E") : encoded;
}
