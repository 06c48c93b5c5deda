/**
 * A reader that remembers how far it has read, over every crash: what it knows in the end must be what is there. It
 * finds sequences that were shown and used again for something else.
 */
import { deepEqual } from "node:assert/strict";
import type { HttpClient } from "../helpers/http-client.js";

interface ChangeRow {
  readonly id: string;
  readonly seq: string | number;
  readonly deleted?: boolean;
  readonly changes: readonly { readonly rev: string }[];
}

export class Follower {
  private readonly known = new Map<string, string>();
  private since: string | number = 0;

  /** Reads until the server is gone, or until `stopped` says so. */
  async follow(client: HttpClient, database: string, stopped: () => boolean): Promise<void> {
    while (!stopped()) {
      try {
        await this.read(
          client,
          `${database}/_changes?feed=longpoll&timeout=200&limit=500&since=${this.encodedSince()}`,
        );
      } catch {
        return;
      }
    }
  }

  /** Reads the rest and compares with every winning revision there is. */
  async verify(client: HttpClient, database: string): Promise<void> {
    await this.read(client, `${database}/_changes?since=${this.encodedSince()}`);
    const reply = await client.expect(200, "GET", `${database}/_all_docs`);
    const there = reply.json().rows.map((row: { id: string; value: { rev: string } }) => [row.id, row.value.rev]);
    deepEqual(this.known, new Map(there), "what a follower has learnt is what is there");
  }

  private async read(client: HttpClient, path: string): Promise<void> {
    const { results, last_seq } = (await client.expect(200, "GET", path)).json();
    for (const row of results as readonly ChangeRow[]) {
      if (row.deleted) this.known.delete(row.id);
      else this.known.set(row.id, row.changes[0]?.rev as string);
    }
    this.since = last_seq;
  }

  private encodedSince(): string {
    return encodeURIComponent(String(this.since));
  }
}
