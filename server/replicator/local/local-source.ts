/** A database of this server that is replicated from. */
import { CouchError } from "../../../protocol/errors.js";
import type { AttachmentInfo } from "../../documents/attachments/attachment-info.js";
import type { Follower } from "../../documents/attachments/following-parts.js";
import type { Database } from "../../documents/database.js";
import { pickMember } from "../../documents/json/json-text.js";
import type { NamedAttachment, ParsedDocument } from "../../documents/parse-document.js";
import { pathOf, type RevisionNode, revOf } from "../../documents/revisions/tree.js";
import { leavesFrom, pickWinner, type ShownRevision, wantsBytes } from "../../documents/show-document.js";
import type {
  ChangesPage,
  ChangesQuery,
  FetchedDocuments,
  Source,
  StreamedPart,
  StreamedRevision,
  WantedRevisions,
} from "../peer.js";
import type { ReplicationOptions } from "../replication.js";
import { type LocalEnd, LocalPeer } from "./local-peer.js";
import { type ChangesReader, changesReader, readChangesPage } from "./source-changes.js";

/** Milliseconds of reading before others get their turn. */
const turn = 5;

export class LocalSource extends LocalPeer implements Source {
  readonly #options: Pick<ReplicationOptions, "filter" | "winningRevsOnly">;
  #reader: ChangesReader | undefined;

  constructor(end: LocalEnd, options: Pick<ReplicationOptions, "filter" | "winningRevsOnly">) {
    super(end, "read");
    this.#options = options;
  }

  /** Never waits: whoever watches a local database hears of its commits. */
  async changes(query: ChangesQuery, signal: AbortSignal): Promise<ChangesPage> {
    const database = await this.database();
    const { sandbox } = this.end.services;
    // Another object after it left the memory or was made anew: what was compiled belongs to the former.
    if (this.#reader?.database !== database) {
      const { filter, winningRevsOnly } = this.#options;
      const { identity } = this.end;
      this.#reader = changesReader(database, filter, { allLeaves: !winningRevsOnly, identity, sandbox });
    }
    return await readChangesPage(this.#reader, query, signal);
  }

  async fetch(wanted: readonly WantedRevisions[], signal: AbortSignal): Promise<FetchedDocuments> {
    const database = await this.database();
    const documents: ParsedDocument[] = [];
    const attached: WantedRevisions[] = [];
    let turnEnds = performance.now() + turn;
    for (const one of wanted) {
      if (performance.now() > turnEnds) {
        await new Promise(setImmediate);
        signal.throwIfAborted();
        turnEnds = performance.now() + turn;
      }
      const revisions = leavesOfWanted(database, one);
      if (revisions.some(({ value }) => value.attachments.length > 0)) attached.push(one);
      else for (const revision of revisions) documents.push(documentOf(revision, []));
    }
    return { documents, attached };
  }

  async *fetchStreamed(wanted: WantedRevisions, whole: boolean, _signal: AbortSignal): AsyncIterable<StreamedRevision> {
    const database = await this.database();
    for (const revision of leavesOfWanted(database, wanted)) {
      const travels = whole ? () => true : wantsBytes(revision, { attsSince: wanted.ancestors });
      const { attachments } = revision.value;
      const document = documentOf(
        revision,
        attachments.map((info) => (travels(info) ? follower(info) : stub(info))),
      );
      yield { document, parts: partsOf(database, attachments.filter(travels)) };
    }
  }
}

async function* partsOf(database: Database, attachments: readonly AttachmentInfo[]): AsyncIterable<StreamedPart> {
  for (const info of attachments) {
    const body = database.attachment(info);
    try {
      yield { follower: follower(info), body };
    } finally {
      body.destroy();
    }
  }
}

/** What the wanted revisions grew into meanwhile: an inner revision is nobody's to have any more. */
function leavesOfWanted(database: Database, { id, revs }: WantedRevisions): readonly ShownRevision[] {
  const document = database.find(id);
  if (!document) return [];
  const indices = new Set(revs.flatMap((rev) => leavesFrom(document.record.tree, rev)));
  return [...indices].flatMap((index) => {
    const value = database.value(document, index);
    return value ? [{ document, index, value }] : [];
  });
}

function documentOf(
  { document, index, value }: ShownRevision,
  attachments: readonly NamedAttachment[],
): ParsedDocument {
  const { tree } = document.record;
  const node = tree[index] as RevisionNode;
  const history = pathOf(tree, index);
  return { id: document.id, rev: revOf(node), history, deleted: node.deleted, body: value.body, attachments };
}

function follower(info: AttachmentInfo): Follower {
  const decodedLength = info.encoding ? info.length : undefined;
  const md5 = info.digest.slice("md5-".length);
  return { ...named(info), source: { kind: "follows", length: info.storedLength, decodedLength, md5 } };
}

function stub(info: AttachmentInfo): NamedAttachment {
  return { ...named(info), source: { kind: "stub" } };
}

function named({ name, contentType, revpos, encoding }: AttachmentInfo): Omit<NamedAttachment, "source"> {
  return { name, contentType, revpos, encoding };
}

/** The source text of a filter function. @throws CouchError not_found */
export function localFilterCode(database: Database, path: string, url: string): string {
  const [design = "", name = ""] = path.split("/");
  const cannot = (error: string): CouchError =>
    new CouchError("not_found", `Couldn't parse filter code from document ${design} on \`${url}\`  Error: ${error}`);
  const document = database.find(`_design/${design}`);
  if (!document) throw cannot("missing");
  const { value } = pickWinner(database, document);
  const filters = pickMember(value.body, "filters");
  const code = typeof filters === "object" && filters !== null ? (filters as Record<string, unknown>)[name] : undefined;
  if (typeof code !== "string") throw cannot(`missing json key: ${name}`);
  return code;
}
