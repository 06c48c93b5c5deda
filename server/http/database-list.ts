/** Names of databases in a range, and JSON arrays that are made while they are read. */
import type { DatabaseName } from "../../protocol/ids.js";
import type { Databases } from "../documents/databases.js";
import type { ListQuery } from "./list-query.js";

export async function* namesIn(
  databases: Databases,
  { from, to, descending, skip, limit }: ListQuery,
): AsyncGenerator<DatabaseName> {
  if (limit === 0) return;
  let seen = 0;
  const range = { descending, ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
  for await (const names of databases.names(range)) {
    for (const name of names) {
      if (seen++ < skip) continue;
      yield name;
      if (seen >= skip + limit) return;
    }
  }
}

/** Bytes gathered before they are handed to the socket. */
const chunkSize = 64 * 1024;

export async function* jsonArray(items: AsyncIterable<unknown>): AsyncGenerator<Buffer> {
  let text = "[";
  let comma = "";
  for await (const item of items) {
    text += comma + JSON.stringify(item);
    comma = ",";
    if (text.length < chunkSize) continue;
    yield Buffer.from(text);
    text = "";
  }
  yield Buffer.from(`${text}]\n`);
}
