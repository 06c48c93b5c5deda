/**
 * Counts of requests, taken in the pipeline after each answer: a few additions in place, without a text or an object being made.
 * Whoever wants to see them (`stats.ts`, `prometheus.ts`) adds them up.
 */
import type { PathRoutes } from "../route.js";
import { RecentTimes } from "./recent-times.js";

/** Upper bounds of the buckets, in seconds; a last one takes the rest. */
export const timeBounds: readonly number[] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Of one path of the route table. */
export class RouteCounts {
  readonly path: string;
  /** Method to status to requests. */
  readonly answers = new Map<string, Map<number, number>>();
  /** How many took at most as long as the bound of the same index and longer than the one before. */
  readonly buckets = new Float64Array(timeBounds.length + 1);
  /** Seconds of all. */
  seconds = 0;
  requests = 0;

  constructor(path: string) {
    this.path = path;
  }

  add(method: string, status: number, milliseconds: number): void {
    let statuses = this.answers.get(method);
    if (!statuses) {
      statuses = new Map();
      this.answers.set(method, statuses);
    }
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
    const seconds = milliseconds / 1000;
    let bucket = 0;
    while (bucket < timeBounds.length && seconds > (timeBounds[bucket] as number)) bucket++;
    (this.buckets[bucket] as number) += 1;
    this.seconds += seconds;
    this.requests++;
  }
}

export class RequestCounts {
  readonly recent = new RecentTimes();
  /** Requests that are being answered, open feeds among them. */
  open = 0;
  readonly #routes = new Map<PathRoutes, RouteCounts>();

  answered(route: PathRoutes, method: string, status: number, milliseconds: number): void {
    let counts = this.#routes.get(route);
    if (!counts) {
      counts = new RouteCounts(route.path);
      this.#routes.set(route, counts);
    }
    counts.add(method, status, milliseconds);
    this.recent.add(milliseconds);
  }

  /** Those that were asked for. */
  routes(): Iterable<RouteCounts> {
    return this.#routes.values();
  }

  requests(): number {
    let sum = 0;
    for (const { requests } of this.routes()) sum += requests;
    return sum;
  }

  /** Requests for paths that end so. */
  requestsTo(end: string): number {
    let sum = 0;
    for (const { path, requests } of this.routes()) if (path.endsWith(end)) sum += requests;
    return sum;
  }

  byMethod(): ReadonlyMap<string, number> {
    const sums = new Map<string, number>();
    for (const [method, , count] of this.#answers()) sums.set(method, (sums.get(method) ?? 0) + count);
    return sums;
  }

  byStatus(): ReadonlyMap<number, number> {
    const sums = new Map<number, number>();
    for (const [, status, count] of this.#answers()) sums.set(status, (sums.get(status) ?? 0) + count);
    return sums;
  }

  *#answers(): Iterable<readonly [method: string, status: number, count: number]> {
    for (const { answers } of this.routes()) {
      for (const [method, statuses] of answers) for (const [status, count] of statuses) yield [method, status, count];
    }
  }
}
