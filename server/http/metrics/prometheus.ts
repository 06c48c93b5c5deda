/** `_prometheus`: the same counts as text for a scraper, CouchDB's names beside our own. Everything is gathered when it is asked for. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { Metrics } from "./metrics.js";
import { type RequestCounts, timeBounds } from "./request-counts.js";

const durationName = "settee_http_request_duration_seconds";
const durationHelp = "Time from a request's head to the end of its answer.";

type Labels = Readonly<Record<string, string | number>>;
type Sample = readonly [value: number, labels?: Labels];

/** Collects process and event-loop figures from now on; the result gives the text, in format 0.0.4. */
export class Prometheus {
  readonly #registry = new Registry();

  constructor(metrics: Metrics) {
    const registry = this.#registry;
    collectDefaultMetrics({ register: registry });
    const counter = (name: string, help: string, samples: () => Iterable<Sample>, labelNames: string[] = []): void => {
      new Counter({
        name,
        help,
        labelNames,
        registers: [registry],
        collect() {
          this.reset();
          for (const [value, labels] of samples()) this.inc(labels ?? {}, value);
        },
      });
    };
    const gauge = (name: string, help: string, samples: () => Iterable<Sample>, labelNames: string[] = []): void => {
      new Gauge({
        name,
        help,
        labelNames,
        registers: [registry],
        collect() {
          this.reset();
          for (const [value, labels] of samples()) this.set(labels ?? {}, value);
        },
      });
    };
    const { requests, databases } = metrics;
    const commit = () => databases.commit.statistics();
    const sandbox = () => metrics.sandbox();

    counter("settee_http_requests_total", "Requests answered.", () => requestSamples(requests), [
      "route",
      "method",
      "status",
    ]);
    new RequestTimes(requests, registry);
    gauge("settee_http_requests_open", "Requests being answered, open feeds among them.", () => [[requests.open]]);
    gauge("settee_feeds_open", "Live feeds that clients listen to.", () => [[metrics.openFeeds()]]);

    counter("settee_commits_total", "Batches written to disk.", () => [[commit().commits]]);
    counter("settee_commit_operations_total", "Keys put or deleted by them.", () => [[commit().operations]]);
    counter("settee_commit_seconds_total", "Time spent waiting for the disk.", () => [[commit().milliseconds / 1000]]);
    gauge("settee_commit_writes_waiting", "Writes that wait for the disk.", () => [[commit().waiting]]);
    counter("settee_document_reads_total", "Documents looked up by id.", () => [[databases.counts.documentReads]]);
    counter("settee_document_writes_total", "Revisions written.", () => [[databases.counts.documentWrites]]);
    gauge("settee_databases_open", "Databases in memory.", () => [[databases.openCount]]);
    gauge("settee_db_updates_listeners", "Open feeds of _db_updates.", () => [[databases.updates.listenerCount]]);
    gauge("settee_tasks_active", "Long work under way.", () => taskSamples(metrics), ["type"]);

    counter("settee_sandbox_calls_total", "Calls of functions of design documents.", () => [[sandbox().calls]]);
    counter("settee_sandbox_seconds_total", "Time that sandbox threads worked.", () => [
      [sandbox().milliseconds / 1000],
    ]);
    gauge("settee_sandbox_threads", "Sandbox threads.", () => threadSamples(metrics), ["state"]);
    gauge("settee_sandbox_work_waiting", "Pieces of work that wait for a sandbox thread.", () => [[sandbox().waiting]]);
    gauge("settee_indexes_updating", "Indexes of views that are being updated.", () => [[metrics.indexes().updating]]);
    gauge("settee_index_queries_waiting", "Queries that wait for them.", () => [[metrics.indexes().waiting]]);
    gauge("settee_index_lag_changes", "Changes that the indexes used last have not seen.", () => [
      [metrics.indexes().lag],
    ]);
    gauge("settee_compactions_waiting", "Databases that wait to be compacted.", () => [[metrics.waitingCompactions()]]);
    gauge("settee_passwords_waiting", "Passwords that wait to be checked.", () => [[metrics.waitingPasswords()]]);

    // As CouchDB calls them, for dashboards that know CouchDB.
    counter("couchdb_httpd_requests_total", "number of HTTP requests", () => [[requests.requests()]]);
    counter(
      "couchdb_httpd_request_methods",
      "number of HTTP requests by method",
      () => samplesOf(requests.byMethod(), "method"),
      ["method"],
    );
    counter(
      "couchdb_httpd_status_codes",
      "number of HTTP responses by status",
      () => samplesOf(requests.byStatus(), "code"),
      ["code"],
    );
    counter("couchdb_database_reads_total", "number of times a document was read from a database", () => [
      [databases.counts.documentReads],
    ]);
    counter("couchdb_database_writes_total", "number of times a database was changed", () => [
      [databases.counts.databaseWrites],
    ]);
    gauge("couchdb_open_databases_total", "number of open databases", () => [[databases.openCount]]);
    gauge("couchdb_uptime_seconds", "couchdb uptime", () => [[process.uptime()]]);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }
}

/** Filled from our own buckets: observing each request would cost it a microsecond and a few objects. */
class RequestTimes extends Histogram {
  readonly #requests: RequestCounts;

  constructor(requests: RequestCounts, registry: Registry) {
    super({
      name: durationName,
      help: durationHelp,
      labelNames: ["route"],
      buckets: [...timeBounds],
      registers: [registry],
    });
    this.#requests = requests;
  }

  /** What a registry asks for when it writes text; the library's own is not in its types. */
  async getForPromString() {
    return { name: durationName, help: durationHelp, type: "histogram", values: timeSamples(this.#requests) };
  }
}

interface TimeSample {
  readonly metricName: string;
  readonly labels: Labels;
  readonly value: number;
}

function timeSamples(requests: RequestCounts): TimeSample[] {
  const samples: TimeSample[] = [];
  for (const { path: route, buckets, seconds, requests: count } of requests.routes()) {
    let sum = 0;
    buckets.forEach((taken, index) => {
      sum += taken;
      const le = timeBounds[index] ?? "+Inf";
      samples.push({ metricName: `${durationName}_bucket`, labels: { le, route }, value: sum });
    });
    samples.push({ metricName: `${durationName}_sum`, labels: { route }, value: seconds });
    samples.push({ metricName: `${durationName}_count`, labels: { route }, value: count });
  }
  return samples;
}

function* requestSamples(requests: RequestCounts): Iterable<Sample> {
  for (const { path: route, answers } of requests.routes()) {
    for (const [method, statuses] of answers) {
      for (const [status, count] of statuses) yield [count, { route, method, status }];
    }
  }
}

function* samplesOf(counts: ReadonlyMap<string | number, number>, label: string): Iterable<Sample> {
  for (const [name, count] of counts) yield [count, { [label]: name }];
}

function* taskSamples({ databases }: Metrics): Iterable<Sample> {
  const byType = new Map<string, number>();
  for (const { type } of databases.tasks.list()) byType.set(type, (byType.get(type) ?? 0) + 1);
  yield* samplesOf(byType, "type");
}

function* threadSamples(metrics: Metrics): Iterable<Sample> {
  const { threads, busyThreads } = metrics.sandbox();
  yield [busyThreads, { state: "busy" }];
  yield [threads - busyThreads, { state: "idle" }];
}
