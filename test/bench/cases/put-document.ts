import { type BenchCase, rateOf } from "../bench-case.js";
import { documentOf } from "../load/documents.js";
import { verifyDocuments } from "./verify-documents.js";

interface PutCase {
  readonly id: string;
  readonly label: string;
  readonly goal: number;
  readonly clients: number;
  readonly databases: number;
  readonly perRound: number;
}

function putCase({ id, label, goal, clients, databases, perRound }: PutCase): BenchCase {
  return {
    id,
    rows: [{ id, label, unit: "documents/s", goal }],
    async run({ load, median, createDatabases, roundTime }) {
      const paths = await createDatabases(databases);
      const written = paths.map((): number[] => []);
      let next = 0;
      const rate = await median(async () => {
        const from = next;
        const requests = Array.from({ length: perRound }, (_, offset) => {
          const path = paths[offset % databases];
          const { _id, ...body } = documentOf(from + offset);
          return load.prepare("PUT", `${path}/${_id}`, body);
        });
        next += perRound;
        const result = await load.run(requests, clients, roundTime);
        for (let offset = 0; offset < result.sent; offset += 1) written[offset % databases]?.push(from + offset);
        return rateOf(result);
      });
      for (const [index, numbers] of written.entries()) {
        const sample = [numbers.at(0), numbers.at(-1)].filter((number) => number !== undefined);
        await verifyDocuments(load, paths[index] as string, numbers.length, sample.map(documentOf));
      }
      return { [id]: rate };
    },
  };
}

export const putOneAfterTheOther = putCase({
  id: "put-1",
  label: "PUT one document, one after the other",
  goal: 1100,
  clients: 1,
  databases: 1,
  perRound: 6000,
});

export const put64InOneDatabase = putCase({
  id: "put-64",
  label: "PUT, 64 at once in one database",
  goal: 9000,
  clients: 64,
  databases: 1,
  perRound: 30_000,
});

export const put64OverDatabases = putCase({
  id: "put-64-databases",
  label: "PUT, 64 at once over 64 databases",
  goal: 9000,
  clients: 64,
  databases: 64,
  perRound: 30_000,
});
