/** The results as a Markdown page. */
import type { BenchCase, BenchRow } from "./bench-case.js";
import type { MachineReport } from "./machine.js";
import type { PeerId, PeerKind } from "./peers/peer.js";

/** By row, then by peer. */
export type Results = ReadonlyMap<string, ReadonlyMap<PeerId, number>>;

export interface Failure {
  readonly caseId: string;
  readonly peer: PeerId;
  readonly message: string;
}

export interface Report {
  readonly date: Date;
  readonly machine: MachineReport;
  readonly peers: readonly PeerKind[];
  readonly cases: readonly BenchCase[];
  readonly results: Results;
  readonly failures: readonly Failure[];
  readonly quick: boolean;
}

const judged: PeerId = "settee";
const yardstick: PeerId = "express-level";

export function printReport(report: Report): string {
  const { machine, peers, failures } = report;
  const gigabytes = (machine.memory / 2 ** 30).toFixed(0);
  const sections = [
    "# Benchmark results",
    `${report.date.toISOString().slice(0, 10)}${report.quick ? ", a quick run: one short round of each case" : ""}. ` +
      `Node.js ${machine.node}, ${machine.cpu}, ${machine.cores} cores shared by the server and the load client, ` +
      `${gigabytes} GB. The machine itself: ${number(machine.syncedWritesPerSecond)} synced one-key writes per second ` +
      `one after the other, MD5 at ${number(machine.md5MegabytesPerSecond)} MB/s.`,
    "Each case runs against a fresh process of each peer on an empty directory, in turn; after one round to warm up, " +
      "the median of the rounds counts. Documents have 300 bytes. The ratio is Settee's advantage over express-pouchdb " +
      "over level (above 1: Settee is better).",
    table(report),
    peers.map((peer) => `- **${peer.label}**: ${peer.note}.`).join("\n"),
  ];
  if (failures.length > 0) {
    sections.push(`Failed:\n\n${failures.map((f) => `- \`${f.caseId}\` on ${f.peer}: ${f.message}`).join("\n")}`);
  }
  return `${sections.join("\n\n")}\n`;
}

function table({ peers, cases, results }: Report): string {
  const header = ["case", "unit", "goal", ...peers.map((peer) => peer.label), "ratio", "goal met"];
  const alignment = header.map((_, index) => (index < 2 ? "---" : "---:"));
  const rows = cases.flatMap((benchCase) => benchCase.rows).map((row) => tableRow(row, peers, results.get(row.id)));
  return [header, alignment, ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

function tableRow(
  row: BenchRow,
  peers: readonly PeerKind[],
  values: ReadonlyMap<PeerId, number> = new Map(),
): string[] {
  const cells = peers.map((peer) => {
    const value = values.get(peer.id);
    return value === undefined ? "–" : number(value);
  });
  const ours = values.get(judged);
  const theirs = values.get(yardstick);
  return [
    row.label,
    row.unit,
    row.goal === undefined ? "" : number(row.goal),
    ...cells,
    ours === undefined || theirs === undefined ? "" : `${number(row.lessIsBetter ? theirs / ours : ours / theirs)}×`,
    row.goal === undefined || ours === undefined ? "" : goalMet(row, ours),
  ];
}

function goalMet(row: BenchRow, value: number): string {
  const goal = row.goal as number;
  return (row.lessIsBetter ? value <= goal : value >= goal) ? "yes" : "no";
}

function number(value: number): string {
  return value.toLocaleString("en-US", { maximumFractionDigits: value < 100 ? 1 : 0 });
}
