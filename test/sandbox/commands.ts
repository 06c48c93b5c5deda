/** Every way in which a function of a design document is run, with the same body. */
import { text } from "node:stream/consumers";
import { CouchError } from "../../protocol/errors.js";
import type { Sandbox } from "../../server/sandbox/sandbox.js";

export interface Attempt {
  /** Of the function: statements. `doc` is there, or undefined. */
  readonly body: string;
  readonly database?: string;
  readonly timeLimitMs?: number;
  readonly shareKey?: string;
  readonly modules?: unknown;
}

/** What came of it: `error: reason`, or the JSON of an answer. */
export type Tried = string;

const req = JSON.stringify({ method: "GET", query: {}, headers: {}, path: [] });
const designDoc = "_design/app";

function source(parameters: string, { body, shareKey, modules }: Attempt, rest: string) {
  return {
    designDoc,
    source: `function (${parameters}) { ${body}\n${rest} }`,
    ...(shareKey === undefined ? {} : { shareKey }),
    ...(modules === undefined ? {} : { modules: JSON.stringify(modules) }),
  };
}

type Run = (sandbox: Sandbox, attempt: Attempt, common: { database: string; timeLimitMs: number }) => Promise<unknown>;

async function* noRows(): AsyncIterable<string> {}

const runs = {
  validate: async (sandbox, attempt, common) =>
    (
      await sandbox.validate({
        ...common,
        functions: [source("doc", attempt, "")],
        userCtx: { db: common.database, name: null, roles: [] },
        security: {},
        calls: [{ newDoc: '{"_id":"a"}', oldDoc: null }],
      })
    )[0],
  map: async (sandbox, attempt, common) => {
    const { source: text, ...rest } = source("doc", attempt, "");
    return (await sandbox.map({ ...common, map: { ...rest, sources: [text] }, documents: ['{"_id":"a"}'] }))[0]?.[0];
  },
  reduce: async (sandbox, attempt, common) =>
    (
      await sandbox.reduce({
        ...common,
        reduce: source("keys, doc", attempt, "return 1;"),
        groups: [{ keys: null, values: "[1, 2]" }],
      })
    )[0],
  filter: (sandbox, attempt, common) =>
    sandbox.filter({ ...common, filter: source("doc, req", attempt, "return true;"), req, documents: ['{"_id":"a"}'] }),
  "view as a filter": (sandbox, attempt, common) =>
    sandbox.filter({ ...common, filter: source("doc", attempt, ""), byView: true, req, documents: ['{"_id":"a"}'] }),
  show: (sandbox, attempt, common) =>
    sandbox.show({ ...common, function: source("doc, req", attempt, "return 'shown';"), req, doc: '{"_id":"a"}' }),
  update: (sandbox, attempt, common) =>
    sandbox.update({ ...common, function: source("doc, req", attempt, "return [null, 'x'];"), req, doc: null }),
  list: async (sandbox, attempt, common) => {
    const list = source("doc, req", attempt, "return 'listed';");
    const { start, body } = await sandbox.list({ ...common, function: list, req, head: "{}", rows: noRows() });
    return { start, body: await text(body) };
  },
  rewrite: (sandbox, attempt, common) =>
    sandbox.rewrite({ ...common, function: source("req", attempt, "return '../';"), req }),
} satisfies Readonly<Record<string, Run>>;

export type CommandName = keyof typeof runs;

export const commandNames = Object.keys(runs) as readonly CommandName[];

/** Never throws for what the function does. */
export async function attempt(sandbox: Sandbox, name: CommandName, what: Attempt): Promise<Tried> {
  const common = { database: what.database ?? "db", timeLimitMs: what.timeLimitMs ?? 10_000 };
  try {
    const outcome = await (runs[name] as Run)(sandbox, what, common);
    const refused = outcome as { readonly error?: string; readonly reason?: unknown } | null | undefined;
    return refused?.error === undefined ? JSON.stringify(outcome ?? null) : `${refused.error}: ${refused.reason}`;
  } catch (error) {
    if (!(error instanceof CouchError)) throw error;
    return `${error.error}: ${error.reason}`;
  }
}
