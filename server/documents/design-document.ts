/**
 * What a design document must look like to be saved, in CouchDB's words: the types of its members, then whether its map and reduce
 * functions compile. All other functions are compiled when they are used, and may be saved broken.
 */
import { CouchError } from "../../protocol/errors.js";

/** Why each source is no function, or null. */
export type Compile = (sources: readonly string[]) => Promise<readonly (CouchError | null)[]>;

type Json = Readonly<Record<string, unknown>>;
type JsonType = "string" | "object" | "array" | "boolean";
/** One member on the way to the one that is checked; `*` stands for every member. Members that are not there are well. */
type Step = readonly [name: string, ...types: readonly JsonType[]];

const fields = (mapType: JsonType): readonly (readonly Step[])[] => [
  [
    ["filters", "object"],
    ["*", "string", "object"],
  ],
  [["language", "string"]],
  [
    ["lists", "object"],
    ["*", "string", "object"],
  ],
  [["options", "object"]],
  [
    ["options", "object"],
    ["include_design", "boolean"],
  ],
  [
    ["options", "object"],
    ["local_seq", "boolean"],
  ],
  [
    ["options", "object"],
    ["partitioned", "boolean"],
  ],
  [["rewrites", "array", "string"]],
  [
    ["shows", "object"],
    ["*", "string", "object"],
  ],
  [
    ["updates", "object"],
    ["*", "string", "object"],
  ],
  [["validate_doc_update", "string"]],
  [
    ["views", "object"],
    ["lib", "object"],
  ],
  [
    ["views", "object"],
    ["*", "object"],
    ["map", mapType],
  ],
  [
    ["views", "object"],
    ["*", "object"],
    ["reduce", "string"],
  ],
];

export interface DesignDocumentRules {
  /** Of the database. */
  readonly partitioned: boolean;
  readonly compile: Compile;
}

/** @throws CouchError invalid_design_doc, compilation_error, not_found `missing function` */
export async function checkDesignDocument(
  document: Json,
  { partitioned, compile }: DesignDocumentRules,
): Promise<void> {
  checkFields(document, partitioned);
  // Others may be saved: who knows what will read them.
  if ((document["language"] ?? "javascript") !== "javascript") return;
  const functions = viewFunctions(document);
  const errors = (await compile(functions.filter(isJavaScript).map(({ source }) => source))).values();
  for (const { view, kind, source } of functions) {
    if (!isJavaScript({ kind, source })) {
      builtinReduce(source);
      continue;
    }
    const error = errors.next().value;
    if (error?.error === "compilation_error") {
      const reason = `Compilation of the ${kind} function in the '${view}' view failed: ${error.reason}`;
      throw new CouchError("compilation_error", reason);
    }
    if (error) throw error;
  }
}

/** @throws CouchError invalid_design_doc */
export function checkFields(document: Json, partitioned: boolean): void {
  for (const path of fields(document["language"] === "query" ? "object" : "string")) checkPath(document, path, []);
  for (const [name, view] of viewsOf(document)) {
    if (view["map"] === undefined) throw invalid(`View \`${name}\` must contain map function`);
  }
  if ((document["options"] as Json | undefined)?.["partitioned"] === true && !partitioned) {
    throw invalid("partitioned option cannot be true in a non-partitioned database.");
  }
}

/** Reduces that need no JavaScript. */
export interface BuiltinReduce {
  readonly name: "_sum" | "_count" | "_stats" | "_approx_count_distinct" | "_first" | "_last" | "_top" | "_bottom";
  /** How many values `_top_N` and `_bottom_N` keep. */
  readonly rank?: number;
}

const builtins = ["_sum", "_count", "_stats", "_approx_count_distinct", "_first", "_last"] as const;

/** As in CouchDB a name may be followed by anything: tools that read it from a file leave a newline. @throws CouchError invalid_design_doc */
export function builtinReduce(source: string): BuiltinReduce {
  const ranked = /^(_top|_bottom)_(.*)$/s.exec(source);
  if (ranked) {
    const rank = ranked[2] as string;
    if (!/^-?\d+$/.test(rank)) throw invalid("invalid rank reducer");
    if (Number(rank) < 1 || Number(rank) > 100) throw invalid("rank value must be between 1 and 100");
    return { name: ranked[1] as "_top" | "_bottom", rank: Number(rank) };
  }
  const name = builtins.find((builtin) => source.startsWith(builtin));
  if (!name) throw invalid(`\`${source}\` is not a supported reduce function.`);
  return { name };
}

interface ViewFunction {
  readonly view: string;
  readonly kind: "map" | "reduce";
  readonly source: string;
}

function isJavaScript({ kind, source }: Pick<ViewFunction, "kind" | "source">): boolean {
  return kind === "map" || !source.startsWith("_");
}

/** In the order in which they are checked. */
function viewFunctions(document: Json): readonly ViewFunction[] {
  return viewsOf(document).flatMap(([view, { map, reduce }]): ViewFunction[] => [
    { view, kind: "map", source: map as string },
    ...(reduce === undefined ? [] : [{ view, kind: "reduce" as const, source: reduce as string }]),
  ]);
}

/** `lib` holds modules. */
function viewsOf(document: Json): readonly (readonly [string, Json])[] {
  return Object.entries((document["views"] ?? {}) as Record<string, Json>).filter(([name]) => name !== "lib");
}

function checkPath(value: Json, [step, ...rest]: readonly Step[], above: readonly string[]): void {
  if (!step) return;
  const [name, ...types] = step;
  for (const member of name === "*" ? Object.keys(value) : [name]) {
    const found = Object.hasOwn(value, member) ? value[member] : undefined;
    if (found === undefined) continue;
    const path = [...above, member];
    if (!types.some((type) => isOfType(found, type))) {
      throw invalid(`\`${path.join(".")}\` field must have ${types.join(" or ")} type`);
    }
    if (rest.length > 0) checkPath(found as Json, rest, path);
  }
}

function isOfType(value: unknown, type: JsonType): boolean {
  if (type === "array") return Array.isArray(value);
  if (type === "object") return typeof value === "object" && value !== null && !Array.isArray(value);
  return typeof value === type;
}

function invalid(reason: string): CouchError {
  return new CouchError("invalid_design_doc", reason);
}
