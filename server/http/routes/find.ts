/** `/{db}/_find` and `_explain`, and the same of one partition. */
import { CouchError } from "../../../protocol/errors.js";
import type { Json } from "../../query/mango/body-members.js";
import { explain } from "../../query/mango/explain.js";
import { type FindRequest, parseFindRequest } from "../../query/mango/find-request.js";
import { chosenIndex, type Plan, planQuery } from "../../query/mango/plan.js";
import { readJsonObject, requireJson } from "../body.js";
import { type DatabaseCall, type DatabaseHandler, json, type Reply } from "../call.js";
import { chunkedReply } from "../chunked-reply.js";
import { findAnswer } from "../find-answer.js";
import { partitionOf } from "./partition.js";

export const findDocuments: DatabaseHandler = async (call) => answerFind(call, await readRequest(call, undefined));
export const findInPartition: DatabaseHandler = async (call) =>
  answerFind(call, await readRequest(call, partitionOf(call)));
export const explainFind: DatabaseHandler = async (call) => answerExplain(call, await readRequest(call, undefined));
export const explainInPartition: DatabaseHandler = async (call) =>
  answerExplain(call, await readRequest(call, partitionOf(call)));

async function answerFind(call: DatabaseCall, request: FindRequest): Promise<Reply> {
  const plan = await planFor(call, request);
  const index = chosenIndex(plan, request, call.database);
  return chunkedReply(call, findAnswer(call, request, { ...plan, index }));
}

async function answerExplain(call: DatabaseCall, request: FindRequest): Promise<Reply> {
  return json(explain(call.database, request, await planFor(call, request)));
}

async function planFor({ database, services }: DatabaseCall, request: FindRequest): Promise<Plan> {
  const known = services.designViews.mangoIndexesOf(database);
  return planQuery(known instanceof Promise ? await known : known, request);
}

async function readRequest(call: DatabaseCall, partition: string | undefined): Promise<FindRequest> {
  requireJson(call);
  const body = await readJsonObject(call);
  const request = parseFindRequest(partition === undefined ? body : inPartition(body, partition));
  if (request.partition !== undefined && !call.database.partitioned) {
    throw new CouchError("query_parse_error", "`partition` parameter is not supported on this db");
  }
  return request;
}

/** The path names the partition; a body may name it too, and no other. */
function inPartition(body: Json, partition: string): Json {
  if (body["partition"] === undefined || body["partition"] === partition) return { ...body, partition };
  throw new CouchError("bad_request", "`partition` value does not match");
}
