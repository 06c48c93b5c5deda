/** `_all_docs`, `_design_docs`, `_local_docs` and `_partition/{partition}/_all_docs`: documents by id; with `/queries` several times. */
import { CouchError } from "../../../protocol/errors.js";
import type { Database } from "../../documents/database.js";
import { readJsonObject, requireJson } from "../body.js";
import type { DatabaseCall, DatabaseHandler, Reply } from "../call.js";
import { chunkedReply } from "../chunked-reply.js";
import type { Body } from "../list-parameters.js";
import { type ListQuery, parseListQuery } from "../list-query.js";
import { listAnswer, listAnswers, withNewline } from "../list-rows.js";
import { allDocuments, designDocuments, type Listing, localDocuments, partitionDocuments } from "../listings.js";
import { partitionOf } from "./partition.js";

type ListingOf = (database: Database, query: ListQuery) => Listing;

export const allDocs = lists(allOrPartition);
export const designDocs = lists(designDocuments);
export const localDocs = lists(localDocuments);
export const allDocsQueries = listsQueries(allOrPartition);
export const designDocsQueries = listsQueries(designDocuments);
export const localDocsQueries = listsQueries(localDocuments);

export async function partitionAllDocs(call: DatabaseCall): Promise<Reply> {
  const partition = partitionOf(call);
  return lists((database) => partitionDocuments(database, partition))(call);
}

function allOrPartition(database: Database, { partition }: ListQuery): Listing {
  if (partition === undefined) return allDocuments(database);
  if (database.partitioned) return partitionDocuments(database, partition);
  throw new CouchError("query_parse_error", "`partition` parameter is not supported on this db");
}

/** What `_all_docs` answers to the call's query, for a list function to make something of. @throws CouchError */
export function answerOfAllDocs({ database, query }: DatabaseCall, body: Body | undefined): AsyncGenerator<Buffer> {
  const asked = parseListQuery(query, body);
  return listAnswer(allOrPartition(database, asked), asked);
}

function lists(listingOf: ListingOf): DatabaseHandler {
  return async (call) => {
    const isPost = call.method === "POST";
    if (isPost) requireJson(call);
    const query = parseListQuery(call.query, isPost ? await readJsonObject(call) : undefined);
    return chunkedReply(call, withNewline(listAnswer(listingOf(call.database, query), query)));
  };
}

function listsQueries(listingOf: ListingOf): DatabaseHandler {
  return async (call) => {
    requireJson(call);
    const { queries } = await readJsonObject(call);
    if (queries === undefined) throw new CouchError("bad_request", "POST body must include `queries` parameter.");
    if (!Array.isArray(queries)) throw new CouchError("bad_request", "`queries` member must be an array.");
    const answers = queries.map((body) => {
      if (typeof body !== "object" || body === null || Array.isArray(body)) {
        throw new CouchError("bad_request", "`queries` member must be an array of objects.");
      }
      const query = parseListQuery(call.query, body);
      return listAnswer(listingOf(call.database, query), query);
    });
    return chunkedReply(call, listAnswers(answers));
  };
}
