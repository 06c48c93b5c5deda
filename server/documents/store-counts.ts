/** What all databases of a data directory did since the server started, for `_stats`. Counted in place: this is the hot path. */
export interface StoreCounts {
  /** Documents looked up by id. */
  documentReads: number;
  /** Revisions written. */
  documentWrites: number;
  /** Requests that wrote revisions. */
  databaseWrites: number;
  localDocumentWrites: number;
}

export function newStoreCounts(): StoreCounts {
  return { documentReads: 0, documentWrites: 0, databaseWrites: 0, localDocumentWrites: 0 };
}
