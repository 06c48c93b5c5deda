/** Writing design documents of the language `query`: an index comes, or goes. */
import { CouchError } from "../../protocol/errors.js";
import type { DocId, RevId } from "../../protocol/ids.js";
import type { RevisionValue } from "../documents/document-record.js";
import { documentText } from "../documents/document-text.js";
import { canonicalJson, scanDocument } from "../documents/json/json-text.js";
import { type MemberText, membersOf, objectText } from "../documents/json/members.js";
import { parseDocument, toRevision } from "../documents/parse-document.js";
import { type RevisionNode, revOf } from "../documents/revisions/tree.js";
import { erlangTerm } from "../query/mango/erlang-term.js";
import type { IndexRequest } from "../query/mango/index-request.js";
import type { DatabaseCall } from "./call.js";
import { writeDocument } from "./write-documents.js";

interface StoredDesign {
  readonly rev: RevId;
  readonly value: RevisionValue;
}

/** @throws CouchError conflict, invalid_ddoc_lang, invalid_partitioned_option, invalid_design_doc, unauthorized, forbidden */
export async function addIndex(call: DatabaseCall, request: IndexRequest): Promise<"created" | "exists"> {
  const { designDoc, name, view } = request;
  const stored = readDesign(call, designDoc);
  const members = stored ? membersOf(stored.value.body) : newDesign(request);
  checkLanguage(members);
  if (stored) checkPartitioned(members, request);
  const views = put(viewsIn(members), name, canonicalJson(Buffer.from(view)));
  const body = objectText(put(members, "views", objectText(views)));
  if (stored?.value.body.equals(body)) return "exists";
  await writeDesign(call, designDoc, stored, body);
  return "created";
}

/** All of a design document where no name is given. False: there is none such. @throws CouchError conflict, unauthorized, forbidden */
export async function removeIndexes(call: DatabaseCall, designDoc: string, name: string | undefined): Promise<boolean> {
  const indexes = await call.services.designViews.mangoIndexesOf(call.database);
  const gone = new Set(
    indexes.flatMap((index) =>
      index.designDoc === designDoc && [index.name, undefined].includes(name) ? [index.name] : [],
    ),
  );
  const stored = gone.size > 0 ? readDesign(call, designDoc) : undefined;
  if (!stored) return false;
  const members = membersOf(stored.value.body);
  const views = viewsIn(members).filter((view) => !gone.has(view.name));
  const left =
    views.length > 0 ? put(members, "views", objectText(views)) : members.filter((member) => member.name !== "views");
  await writeDesign(call, designDoc, stored, left.every(saysNothing) ? undefined : objectText(left));
  return true;
}

/** Undefined where there is none, or none any more. */
function readDesign({ database }: DatabaseCall, id: string): StoredDesign | undefined {
  const document = database.find(id);
  const node = document?.record.tree[document.record.winner] as RevisionNode | undefined;
  const value = document && node && !node.deleted ? database.value(document, document.record.winner) : undefined;
  return value && node && { rev: revOf(node), value };
}

/** `body` undefined: the document is deleted. Its attachments stay. */
async function writeDesign(
  call: DatabaseCall,
  id: string,
  stored: StoredDesign | undefined,
  body: Buffer | undefined,
): Promise<void> {
  const origin = { kind: "edit" as const, parent: stored?.rev };
  if (!body) {
    await writeDocument(call, { id: id as DocId, origin, deleted: true, body: Buffer.from("{}"), attachments: [] });
    return;
  }
  const attachments = stored?.value.attachments ?? [];
  const text = documentText({ id, rev: stored?.rev, deleted: false, value: { body, attachments } });
  await writeDocument(call, toRevision(parseDocument(scanDocument(text)), id as DocId, origin, new Map()));
}

function newDesign({ partitioned }: IndexRequest): readonly MemberText[] {
  const language = { name: "language", value: Buffer.from('"query"') };
  const options = { name: "options", value: Buffer.from(`{"partitioned":${partitioned}}`) };
  const views = { name: "views", value: Buffer.from("{}") };
  return partitioned === undefined ? [language, views] : [language, views, options];
}

function checkLanguage(members: readonly MemberText[]): void {
  const language: unknown = valueOf(members, "language") ?? false;
  if (language === "query") return;
  throw new CouchError("invalid_ddoc_lang", `Existing design doc has an invalid language: ${erlangTerm(language)}`);
}

/** All indexes of a design document are alike. */
function checkPartitioned(members: readonly MemberText[], { designDoc, partitioned }: IndexRequest): void {
  const options = valueOf(members, "options") as { readonly partitioned?: boolean } | undefined;
  if (options?.partitioned === partitioned) return;
  throw new CouchError(
    "invalid_partitioned_option",
    `Requested partitioned option does not match existing value on design document ${designDoc}`,
  );
}

/** What is left of a design document that held indexes and nothing else. */
function saysNothing({ name }: MemberText): boolean {
  return name === "language" || name === "options";
}

function viewsIn(members: readonly MemberText[]): readonly MemberText[] {
  const views = members.find(({ name }) => name === "views");
  return views ? membersOf(views.value) : [];
}

function valueOf(members: readonly MemberText[], name: string): unknown {
  const member = members.find((each) => each.name === name);
  return member && JSON.parse(member.value.toString());
}

/** In its old place, or at the end. */
function put(members: readonly MemberText[], name: string, value: Buffer): readonly MemberText[] {
  if (!members.some((member) => member.name === name)) return [...members, { name, value }];
  return members.map((member) => (member.name === name ? { name, value } : member));
}
