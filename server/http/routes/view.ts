/** `/{db}/_design/{ddoc}/_view/{view}`, the same of one partition, and several queries at once. */
import type { DatabaseIndex } from "../../query/indexes/database-index.js";
import { viewOf } from "../../query/views/design-views.js";
import { readJsonBody, requireJson } from "../body.js";
import type { DatabaseCall, Reply } from "../call.js";
import { chunkedReply } from "../chunked-reply.js";
import { type JsonBody, queriesIn } from "../json-body.js";
import { withNewline } from "../list-rows.js";
import { parseViewRequest, type ViewFacts, type ViewRequest } from "../view-request.js";
import { viewAnswer, viewAnswers } from "../view-rows.js";
import { partitionOf } from "./partition.js";

export async function queryView(call: DatabaseCall): Promise<Reply> {
  return await answerQuery(call, undefined);
}

export async function queryViewOfPartition(call: DatabaseCall): Promise<Reply> {
  return await answerQuery(call, partitionOf(call));
}

export async function queryViewSeveralTimes(call: DatabaseCall): Promise<Reply> {
  requireJson(call);
  const facts = askedView(call, undefined);
  const requests = queriesIn(await readJsonBody(call)).map((body) => parseViewRequest(facts, call.query, body));
  const index = await indexFor(call, facts, requests);
  return chunkedReply(call, viewAnswers(index, facts.view, requests));
}

async function answerQuery(call: DatabaseCall, partition: string | undefined): Promise<Reply> {
  const isPost = call.method === "POST";
  if (isPost) requireJson(call);
  const facts = askedView(call, partition);
  const answer = await answerOf(call, facts, isPost ? await readJsonBody(call) : undefined);
  return chunkedReply(call, withNewline(answer));
}

/** What a view answers to the call's query, for a list function to make something of. @throws CouchError */
export async function answerOfView(
  call: DatabaseCall,
  { ddoc, view }: { readonly ddoc: string; readonly view: string },
  body: JsonBody | undefined,
): Promise<AsyncGenerator<Buffer>> {
  return await answerOf(call, viewNamed(call, ddoc, view), body);
}

async function answerOf(
  call: DatabaseCall,
  facts: AskedView,
  body: JsonBody | undefined,
): Promise<AsyncGenerator<Buffer>> {
  const request = parseViewRequest(facts, call.query, body);
  const index = await indexFor(call, facts, [request]);
  return viewAnswer(index, facts.view, request);
}

type AskedView = ViewFacts & {
  readonly group: ReturnType<DatabaseCall["services"]["designViews"]["groupOf"]>;
  readonly view: ReturnType<typeof viewOf>;
};

/** The view that the path names. @throws CouchError not_found, unknown_query_language */
function askedView(call: DatabaseCall, partition: string | undefined): AskedView {
  return { ...viewNamed(call, call.params["ddoc"] as string, call.params["view"] as string), partition };
}

function viewNamed({ database, services }: DatabaseCall, ddoc: string, name: string): AskedView {
  const group = services.designViews.groupOf(database, `_design/${ddoc}`);
  return { group, view: viewOf(group, name) };
}

/** Up to date where one of the requests asks for that. */
async function indexFor(
  { database, services }: DatabaseCall,
  { group }: AskedView,
  requests: readonly ViewRequest[],
): Promise<DatabaseIndex> {
  const index = await services.indexes.open(database, group.definition);
  if (requests.some(({ update }) => update === "true")) await index.bringUpToDate();
  else if (requests.some(({ update }) => update === "lazy")) {
    index.bringUpToDate().catch((error: unknown) => {
      services.log.warn(
        { err: error, database: database.name, index: group.definition.designDoc },
        "an index was not updated",
      );
    });
  }
  return index;
}
