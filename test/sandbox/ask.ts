import type { TestContext } from "node:test";
import { type LogEntry, Sandbox, type SandboxOptions, type ValidationOutcome } from "../../server/sandbox/sandbox.js";

export interface Question {
  readonly source: string;
  readonly docs?: readonly unknown[];
  readonly oldDoc?: unknown;
  readonly database?: string;
  readonly user?: string | null;
  readonly shareKey?: string;
  readonly modules?: unknown;
  readonly timeLimitMs?: number;
}

/** A sandbox of one thread that is closed with the test, and a short way to ask it. */
export function sandboxFor(t: TestContext, options: SandboxOptions = {}) {
  const logs: LogEntry[] = [];
  const deaths: unknown[] = [];
  const sandbox = new Sandbox({
    workers: 1,
    log: (entry) => logs.push(entry),
    threadDied: (error) => deaths.push(error),
    ...options,
  });
  t.after(() => sandbox.close());

  const askAll = ({ source, docs = [{}], oldDoc, database = "db", user = "ada", ...rest }: Question) =>
    sandbox.validate({
      database,
      functions: [
        {
          designDoc: "_design/app",
          source,
          ...(rest.shareKey === undefined ? {} : { shareKey: rest.shareKey }),
          ...(rest.modules === undefined ? {} : { modules: JSON.stringify(rest.modules) }),
        },
      ],
      userCtx: { db: database, name: user, roles: [] },
      security: { members: { names: ["ada"], roles: [] } },
      timeLimitMs: rest.timeLimitMs ?? 10_000,
      calls: docs.map((doc) => ({
        newDoc: JSON.stringify(doc),
        oldDoc: oldDoc === undefined ? null : JSON.stringify(oldDoc),
      })),
    });
  const ask = async (question: Question): Promise<ValidationOutcome> => (await askAll(question))[0] ?? null;
  /** What `expression` is worth inside, as JSON. */
  const valueOf = async (expression: string, rest: Omit<Question, "source"> = {}): Promise<unknown> => {
    const outcome = await ask({ ...rest, source: `function (newDoc, oldDoc) { throw { forbidden: ${expression} }; }` });
    return outcome?.error === "forbidden" ? outcome.reason : outcome;
  };
  return { sandbox, logs, deaths, ask, askAll, valueOf };
}
