/** `_stats`: CouchDB's families as far as they exist here, with their texts. Counts are since the server started. */
import type { Metrics } from "./metrics.js";
import { summarise, type TimesSummary } from "./recent-times.js";

interface Statistic {
  readonly value: number | TimesSummary;
  readonly type: "counter" | "gauge" | "histogram";
  readonly desc: string;
}

type Family = { readonly [name: string]: Statistic | Family };

/** Those that CouchDB counts. */
const statuses = [
  200, 201, 202, 204, 206, 301, 302, 304, 400, 401, 403, 404, 405, 406, 409, 412, 413, 414, 415, 416, 417, 500, 501,
  503, 507,
];
const methods = ["COPY", "DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"];

export function statsOf(metrics: Metrics): Family {
  const { requests, databases } = metrics;
  const { counts } = databases;
  const byMethod = requests.byMethod();
  const byStatus = requests.byStatus();
  const { commits } = databases.commit.statistics();
  return {
    couchdb: {
      httpd: {
        requests: counter(requests.requests(), "number of HTTP requests"),
        bulk_requests: counter(requests.requestsTo("/_bulk_docs"), "number of bulk requests"),
        view_reads: counter(requests.requestsTo("/_view/:view"), "number of view reads"),
        clients_requesting_changes: gauge(metrics.openFeeds(), "number of clients for continuous _changes"),
      },
      httpd_request_methods: Object.fromEntries(
        methods.map((method) => [method, counter(byMethod.get(method) ?? 0, `number of HTTP ${method} requests`)]),
      ),
      httpd_status_codes: Object.fromEntries(
        statuses.map((status) => [status, counter(byStatus.get(status) ?? 0, `number of HTTP ${status} responses`)]),
      ),
      request_time: {
        value: summarise(requests.recent.values()),
        type: "histogram",
        desc: "length of the last requests, in milliseconds",
      },
      database_reads: counter(counts.documentReads, "number of times a document was read from a database"),
      database_writes: counter(counts.databaseWrites, "number of times a database was changed"),
      document_writes: counter(counts.documentWrites, "number of document write operations"),
      local_document_writes: counter(counts.localDocumentWrites, "number of _local document write operations"),
      open_databases: gauge(databases.openCount, "number of open databases"),
      commits: counter(commits, "number of commits performed"),
    },
    fsync: { count: counter(commits, "number of fsync calls") },
  };
}

/** What lies at a path; null where nothing does, as in CouchDB. */
export function statsAt(stats: Family, path: readonly string[]): unknown {
  let found: unknown = stats;
  for (const part of path) {
    if (typeof found !== "object" || found === null || !Object.hasOwn(found, part)) return null;
    found = (found as Record<string, unknown>)[part];
  }
  return found;
}

function counter(value: number, desc: string): Statistic {
  return { value, type: "counter", desc };
}

function gauge(value: number, desc: string): Statistic {
  return { value, type: "gauge", desc };
}
