/** `node run.js [--only CASE,...] [--peers PEER,...] [--quick]`: every case against every peer, one after the other. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { repositoryRoot } from "../helpers/repository-root.js";
import type { BenchCase } from "./bench-case.js";
import { caseContext } from "./case-context.js";
import { allCases } from "./cases/all.js";
import { measureMachine } from "./machine.js";
import { allPeers } from "./peers/all.js";
import type { PeerId, PeerKind } from "./peers/peer.js";
import { type Failure, printReport } from "./report.js";

const { values: options } = parseArgs({
  options: { only: { type: "string" }, peers: { type: "string" }, quick: { type: "boolean", default: false } },
});

const cases = chosen("case", options.only, allCases).filter((one) => options.only || !one.onRequest);
const peers = chosen("peer", options.peers, allPeers).filter((peer) => peer.start);
const results = new Map<string, Map<PeerId, number>>();
const failures: Failure[] = [];

const machine = await measureMachine();
for (const benchCase of cases) {
  // Peers take turns within a case, so that a slow minute of the machine does not hit one of them alone.
  for (const peer of peers) {
    if (!(benchCase.onRequest || benchCase.onlySettee) || peer.id === "settee") await measure(benchCase, peer);
  }
}

const report = printReport({ date: new Date(), machine, peers, cases, results, failures, quick: options.quick });
console.log(`\n${report}`);
// A partial or a hurried run must not replace the figures of a whole one.
if (!options.only && !options.peers && !options.quick) {
  writeFileSync(join(repositoryRoot, "test", "bench", "RESULTS.md"), report);
}
process.exitCode = failures.some((failure) => failure.peer === "settee") ? 1 : 0;

async function measure(benchCase: BenchCase, kind: PeerKind): Promise<void> {
  let peer: Awaited<ReturnType<NonNullable<PeerKind["start"]>>> | undefined;
  try {
    peer = await (kind.start as NonNullable<PeerKind["start"]>)();
    const context = caseContext(peer, options.quick, (text) => {
      console.log(`${benchCase.id.padEnd(18)} ${kind.id.padEnd(15)} ${text}`);
    });
    const values = await benchCase.run(context);
    context.load.close();
    for (const [row, value] of Object.entries(values)) {
      results.set(row, (results.get(row) ?? new Map()).set(kind.id, value));
      console.log(`${benchCase.id.padEnd(18)} ${kind.id.padEnd(15)} ${row.padEnd(20)} ${value.toFixed(1)}`);
    }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    failures.push({ caseId: benchCase.id, peer: kind.id, message: message.split("\n", 1)[0] as string });
    console.log(`${benchCase.id.padEnd(18)} ${kind.id.padEnd(15)} failed: ${message}`);
  } finally {
    await peer?.close();
  }
}

function chosen<T extends { readonly id: string }>(
  what: string,
  names: string | undefined,
  all: readonly T[],
): readonly T[] {
  if (!names) return all;
  return names.split(",").map((name) => {
    const found = all.find((one) => one.id === name.trim());
    if (!found) throw new Error(`no ${what} "${name}"; there are ${all.map((one) => one.id).join(", ")}`);
    return found;
  });
}
