/** What a replication counts, in the names of its history, of `_active_tasks` and of `_scheduler`. */
export interface Statistics {
  missing_checked: number;
  missing_found: number;
  docs_read: number;
  docs_written: number;
  doc_write_failures: number;
  bulk_get_attempts: number;
  bulk_get_docs: number;
}

export function newStatistics(): Statistics {
  return {
    missing_checked: 0,
    missing_found: 0,
    docs_read: 0,
    docs_written: 0,
    doc_write_failures: 0,
    bulk_get_attempts: 0,
    bulk_get_docs: 0,
  };
}

/** Counting goes on where the history of earlier sessions stopped, as in CouchDB. */
export function statisticsOf(entry: Readonly<Record<string, unknown>> | undefined): Statistics {
  const counted = newStatistics();
  for (const name of Object.keys(counted) as (keyof Statistics)[]) {
    const value = entry?.[name];
    if (Number.isSafeInteger(value) && (value as number) >= 0) counted[name] = value as number;
  }
  return counted;
}

/** Names of `_scheduler` and `_replication_stats` for the same counts. */
export function schedulerStatistics(statistics: Statistics): Record<string, number> {
  const { missing_checked, missing_found, docs_read, docs_written, doc_write_failures } = statistics;
  const { bulk_get_attempts, bulk_get_docs } = statistics;
  return {
    revisions_checked: missing_checked,
    missing_revisions_found: missing_found,
    docs_read,
    docs_written,
    doc_write_failures,
    bulk_get_attempts,
    bulk_get_docs,
  };
}
