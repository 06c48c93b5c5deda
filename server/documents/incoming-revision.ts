/**
 * One revision on its way in: everything about it is parsed and its attachments are taken in; what is not yet known is the tree
 * that it will meet.
 */
import type { DocId, RevId } from "../../protocol/ids.js";
import type { TakenContent } from "./attachments/intake.js";
import type { RevisionPath } from "./revisions/tree.js";

/** Bytes that came with the revision. */
export interface NewAttachment {
  readonly kind: "new";
  readonly name: string;
  readonly contentType: string;
  readonly content: TakenContent;
  /** Given by a replicating peer; an edit's own generation otherwise. */
  readonly revpos?: number | undefined;
}

/** `stub: true`: the bytes are those of an ancestor. */
export interface StubAttachment {
  readonly kind: "stub";
  readonly name: string;
  readonly revpos?: number | undefined;
}

export type IncomingAttachment = NewAttachment | StubAttachment;

/** An edit on top of `parent` (none: a new document, or a deleted one), or a revision that another server made. */
export type RevisionOrigin =
  | {
      readonly kind: "edit";
      readonly parent: RevId | undefined;
      /** The parent was given with its history: then a document that is not there is a conflict. */
      readonly mustExist?: boolean;
    }
  | { readonly kind: "replicated"; readonly path: RevisionPath };

export interface IncomingRevision {
  readonly id: DocId;
  readonly origin: RevisionOrigin;
  readonly deleted: boolean;
  /** Canonical JSON text of the members that do not begin with an underscore, braces included. */
  readonly body: Buffer;
  readonly attachments: readonly IncomingAttachment[];
}
