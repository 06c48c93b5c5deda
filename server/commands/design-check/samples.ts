/** `NAME.samples.ts` and `NAME.samples.json`: what they may hold is told in `design-docs/samples.ts`. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { bundleFile } from "../../gateway/design-docs/bundle.js";
import { evaluated } from "../../gateway/design-docs/compile.js";
import { placeOfMember } from "../../gateway/design-docs/places.js";
import { type Place, TemplateError } from "../../gateway/design-docs/problem.js";
import type { OutlineNode } from "../../sandbox/outline.js";

const json = z.record(z.string(), z.unknown());
const texts = z.record(z.string(), z.string());
const byName = <T extends z.ZodType>(item: T) => z.record(z.string(), z.array(item)).default({});

const askedBy = {
  title: z.string().optional(),
  user: z.string().nullable().default("ada"),
  roles: z.array(z.string()).default([]),
  security: json.optional(),
};
const askedFor = {
  ...askedBy,
  query: texts.default({}),
  headers: texts.default({}),
  method: z.string().optional(),
  body: z.string().optional(),
  req: json.default({}),
};
const answer = z.union([z.string(), json]);

const write = z.strictObject({
  ...askedBy,
  doc: json,
  oldDoc: json.nullable().default(null),
  expect: z.string().optional(),
});
const view = z.strictObject({
  rows: z.array(z.strictObject({ id: z.string().optional(), key: z.unknown(), value: z.unknown() })).optional(),
  reduced: z.unknown().optional(),
  groups: z.array(z.strictObject({ key: z.unknown(), value: z.unknown() })).optional(),
});
const filter = z.strictObject({ ...askedFor, expect: z.array(z.string()).optional() });
const show = z.strictObject({ ...askedFor, doc: json.nullable().default(null), expect: answer.optional() });
const update = show.extend({ stores: json.nullable().optional() });
const list = z.strictObject({ ...askedFor, view: z.string(), expect: answer.optional() });
const rewrite = z.strictObject({
  ...askedFor,
  path: z.array(z.string()).optional(),
  expect: answer.nullable().optional(),
});

const schema = z.strictObject({
  documents: z.array(json).default([]),
  writes: z.array(write).default([]),
  views: z.record(z.string(), view).default({}),
  filters: byName(filter),
  shows: byName(show),
  updates: byName(update),
  lists: byName(list),
  rewrites: z.array(rewrite).default([]),
});

export type Samples = z.output<typeof schema>;
export type WriteSample = z.output<typeof write>;
export type ViewSample = z.output<typeof view>;
export type FilterSample = z.output<typeof filter>;
export type ShowSample = z.output<typeof show>;
export type UpdateSample = z.output<typeof update>;
export type ListSample = z.output<typeof list>;
export type RewriteSample = z.output<typeof rewrite>;
export type AskedFor = Omit<FilterSample, "expect">;

export const noSamples: Samples = schema.parse({});

/** @param file relative to the folder. @throws TemplateError */
export async function loadSamples(folder: string, file: string): Promise<Samples> {
  const { value, placeOf } = await (file.endsWith(".json") ? readJson(folder, file) : evaluate(folder, file));
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new TemplateError(
    parsed.error.issues.map((issue) => {
      const unknown = issue.code === "unrecognized_keys" ? issue.keys[0] : undefined;
      const path = [...issue.path, ...(unknown === undefined ? [] : [unknown])].map(String);
      const words = unknown === undefined ? issue.message : "there is no such member among samples";
      return { ...placeOf(path), words: `\`${path.join(".")}\`: ${words}.` };
    }),
  );
}

interface Read {
  readonly value: unknown;
  readonly placeOf: (path: readonly string[]) => Place;
}

async function readJson(folder: string, file: string): Promise<Read> {
  const path = join(folder, file);
  try {
    return { value: JSON.parse(await readFile(path, "utf8")) as unknown, placeOf: () => ({ file: path }) };
  } catch (error) {
    throw new TemplateError([{ file: path, words: (error as Error).message }], error);
  }
}

async function evaluate(folder: string, file: string): Promise<Read> {
  const path = join(folder, file);
  const module = await bundleFile(folder, file);
  const placeOf = (member: readonly string[]): Place => placeOfMember(module, member) ?? { file: path };
  return { value: valueOf(await evaluated(module, path)), placeOf };
}

/** Functions among samples are told of as what they are: not data. */
function valueOf(node: OutlineNode): unknown {
  if (node.kind === "function") return node.text;
  if (node.kind === "value") return node.value;
  return Object.fromEntries(Object.entries(node.members).map(([name, member]) => [name, valueOf(member)]));
}
