/** What `_all_docs`, `_design_docs`, `_local_docs` and a partition list: the same rows over different ranges. */
import { isDesignDocId, isLocalDocId } from "../../protocol/ids.js";
import type { Database, StoredDocument } from "../documents/database.js";
import type { IdRange } from "../documents/id-range.js";
import type { LocalDocument } from "../documents/local-documents.js";
import { idsOfPartition } from "../documents/partitions.js";
import { type RevisionNode, revOf } from "../documents/revisions/tree.js";
import { documentsBefore, markOffset } from "../documents/row-offsets.js";

const localPrefix = "_local/";
const localEnd = "_local0";

export interface ListedDocument {
  readonly id: string;
  readonly rev: string;
  readonly deleted: boolean;
  readonly content: StoredDocument | LocalDocument;
}

export interface Listing {
  readonly database: Database;
  /** Undeleted documents; null where they are not counted. */
  total(): number | null | Promise<number>;
  /** Cuts a range to what is listed here. */
  within(range: IdRange): IdRange;
  /** Undeleted documents before an id; null where they are not counted. */
  before(id: string): number | null | Promise<number>;
  /** Undeleted documents in a range, in steps. */
  documents(range: IdRange): AsyncIterable<readonly ListedDocument[]>;
  /** Notes what a listing found out that began at sequence `updateSeq`: so many documents are before this one. */
  mark?(updateSeq: number, id: string, before: number): void;
  /** Whether it answers for this id at all. */
  covers(id: string): boolean;
  find(id: string): ListedDocument | undefined;
}

export function allDocuments(database: Database): Listing {
  return {
    database,
    total: () => database.log.committed.counters.documents,
    within: (range) => range,
    before: (id) => (id === "" ? 0 : documentsBefore(database, id)),
    documents: (range) => documentsIn(database, range),
    mark: (updateSeq, id, before) => markOffset(database, updateSeq, id, before),
    covers: () => true,
    find: (id) => (isLocalDocId(id) ? findLocal(database, id) : findDocument(database, id)),
  };
}

/** One partition; counted as part of the whole. */
export function partitionDocuments(database: Database, partition: string): Listing {
  const { from, to } = idsOfPartition(partition);
  return { ...allDocuments(database), within: rangeWithin(from, to) };
}

export function designDocuments(database: Database): Listing {
  const within = rangeWithin("_design/", "_design0");
  return {
    database,
    total: () => database.countDocuments(within({})),
    within,
    before: (id) => database.countDocuments(within({ to: id })),
    documents: (range) => documentsIn(database, range),
    covers: isDesignDocId,
    find: (id) => findDocument(database, id),
  };
}

export function localDocuments(database: Database): Listing {
  return {
    database,
    total: () => null,
    within: rangeWithin(localPrefix, localEnd),
    before: () => null,
    documents: (range) => localsIn(database, range),
    covers: isLocalDocId,
    find: (id) => findLocal(database, id),
  };
}

/** Cuts ranges to what lies between two ids. */
function rangeWithin(first: string, end: string): (range: IdRange) => IdRange {
  return ({ from, to, ...rest }) => ({
    ...rest,
    from: from === undefined || isBefore(from, first) ? first : from,
    to: to === undefined || isBefore(end, to) ? end : to,
  });
}

/** In the order of the store: by bytes. */
function isBefore(one: string, other: string): boolean {
  return Buffer.compare(Buffer.from(one), Buffer.from(other)) < 0;
}

async function* documentsIn(database: Database, range: IdRange): AsyncIterable<readonly ListedDocument[]> {
  for await (const documents of database.documents(range)) {
    yield documents.map(listed).filter(({ deleted }) => !deleted);
  }
}

function findDocument(database: Database, id: string): ListedDocument | undefined {
  const document = database.find(id);
  return document && listed(document);
}

function listed(content: StoredDocument): ListedDocument {
  const { tree, winner } = content.record;
  const node = tree[winner] as RevisionNode;
  return { id: content.id, rev: revOf(node), deleted: node.deleted, content };
}

/** The store knows local documents by what follows their prefix. */
async function* localsIn(database: Database, { from, to, ...rest }: IdRange): AsyncIterable<readonly ListedDocument[]> {
  // A bound that fell outside: nothing lies between the two.
  if (!from?.startsWith(localPrefix) || !(to === localEnd || to?.startsWith(localPrefix))) return;
  const range = {
    ...rest,
    from: from.slice(localPrefix.length),
    to: to === localEnd ? undefined : to.slice(localPrefix.length),
  };
  for await (const documents of database.locals(range)) {
    yield documents.map(({ id, ...content }) => listedLocal(localPrefix + id, content));
  }
}

function findLocal(database: Database, id: string): ListedDocument | undefined {
  const content = database.findLocal(id.slice(localPrefix.length));
  return content && listedLocal(id, content);
}

function listedLocal(id: string, content: LocalDocument): ListedDocument {
  return { id, rev: content.rev, deleted: false, content };
}
