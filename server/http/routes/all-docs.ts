/** `_all_docs`, `_design_docs`, `_local_docs` and `_partition/{partition}/_all_docs`: documents by id; with `/queries` several times. */
import { CouchError } from "../../../protocol/errors.js";
import { isLocalDocId } from "../../../protocol/ids.js";
import type { Database } from "../../documents/database.js";
import { readJsonBody, requireJson } from "../body.js";
import type { DatabaseCall, DatabaseHandler, Reply } from "../call.js";
import { chunkedReply } from "../chunked-reply.js";
import { isMember } from "../is-member.js";
import { type JsonBody, queriesIn } from "../json-body.js";
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
export function answerOfAllDocs(call: DatabaseCall, body: JsonBody | undefined): AsyncGenerator<Buffer> {
  const { database, query } = call;
  const asked = parseListQuery(query, body);
  return listAnswer(shownTo(call, allOrPartition(database, asked)), asked);
}

/** Local documents may be asked for by their ids; they are their members'. */
function shownTo(call: DatabaseCall, listing: Listing): Listing {
  if (isMember(call)) return listing;
  return { ...listing, find: (id) => (isLocalDocId(id) ? undefined : listing.find(id)) };
}

function lists(listingOf: ListingOf): DatabaseHandler {
  return async (call) => {
    const isPost = call.method === "POST";
    if (isPost) requireJson(call);
    const query = parseListQuery(call.query, isPost ? await readJsonBody(call) : undefined);
    return chunkedReply(call, withNewline(listAnswer(shownTo(call, listingOf(call.database, query)), query)));
  };
}

function listsQueries(listingOf: ListingOf): DatabaseHandler {
  return async (call) => {
    requireJson(call);
    const answers = queriesIn(await readJsonBody(call)).map((body) => {
      const query = parseListQuery(call.query, body);
      return listAnswer(shownTo(call, listingOf(call.database, query)), query);
    });
    return chunkedReply(call, listAnswers(answers));
  };
}
