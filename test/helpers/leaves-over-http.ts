/** Every leaf of every document of a database, with body and attachments, asked of any server: to be compared with another's. */
import { createHash } from "node:crypto";
import type { HttpClient } from "./http-client.js";

type Json = Readonly<Record<string, unknown>>;

interface Row {
  readonly id: string;
  readonly changes: readonly { readonly rev: string }[];
}

/** By id: of each leaf the revision, its history, its body, and of its attachments names, types and digests of their bytes. */
export async function leavesOverHttp(client: HttpClient, database: string): Promise<Json> {
  const { results } = (await client.expect(200, "GET", `/${database}/_changes?style=all_docs`)).json() as {
    results: readonly Row[];
  };
  const documents: Record<string, unknown> = {};
  for (const { id, changes } of results) {
    const revs = changes.map(({ rev }) => rev).sort();
    const leaves: unknown[] = [];
    for (const rev of revs) {
      const path = `/${database}/${encodeURIComponent(id).replace("_design%2F", "_design/")}?rev=${rev}&revs=true&attachments=true`;
      const { _attachments = {}, ...document } = (await client.expect(200, "GET", path)).json();
      const attachments = Object.entries(_attachments as Record<string, { data: string; content_type: string }>)
        .map(([name, { data, content_type }]) => [name, content_type, md5(Buffer.from(data, "base64"))])
        .sort();
      leaves.push({ ...document, attachments });
    }
    documents[id] = leaves;
  }
  return Object.fromEntries(Object.entries(documents).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function md5(bytes: Buffer): string {
  return createHash("md5").update(bytes).digest("hex");
}
