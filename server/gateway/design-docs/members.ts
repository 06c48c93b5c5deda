/** Which exports a design document may have, and of what kind. */
import type { OutlineNode } from "../../sandbox/outline.js";
import type { FunctionMember } from "./cut-function.js";

/** Plain data among the exports, at its place in the design document: `_count` at `["views", "by-type", "reduce"]`. */
export interface DataMember {
  readonly path: readonly [string, ...string[]];
  readonly value: unknown;
}

/** Words about an export, fit to be shown to the author. */
export interface MemberProblem {
  readonly path: readonly string[];
  readonly words: string;
}

export interface DesignDocMembers {
  readonly functions: readonly FunctionMember[];
  readonly data: readonly DataMember[];
  readonly problems: readonly MemberProblem[];
}

const builtInReduce = /^_(?:count|sum|stats|approx_count_distinct|first|last|(?:top|bottom)_(?:[1-9]\d?|100))$/;
const builtInNames =
  "_count, _sum, _stats, _approx_count_distinct, _first, _last, _top_N or _bottom_N (N from 1 to 100)";

/** What a kind of functions is called with, where an export holds several of them by name. */
const functionsByName: Readonly<Record<string, string>> = {
  filters: "doc, req",
  updates: "doc, req",
  shows: "doc, req",
  lists: "head, req",
};
const options = ["local_seq", "include_design", "partitioned"];

export function membersOf(exports: OutlineNode): DesignDocMembers {
  const reader = new MemberReader();
  for (const [name, node] of reader.object(exports, [])) reader.member(name, node);
  return reader;
}

class MemberReader implements DesignDocMembers {
  readonly functions: FunctionMember[] = [];
  readonly data: DataMember[] = [];
  readonly problems: MemberProblem[] = [];

  member(name: string, node: OutlineNode): void {
    const parameters = Object.hasOwn(functionsByName, name) ? functionsByName[name] : undefined;
    if (parameters !== undefined) {
      for (const [member, value] of this.object(node, [name])) this.#function(parameters, value, [name, member]);
      return;
    }
    switch (name) {
      case "views":
        for (const [view, definition] of this.object(node, [name])) this.#view(view, definition);
        break;
      case "validate_doc_update":
        this.#function("newDoc, oldDoc, userCtx, secObj", node, [name]);
        break;
      case "rewrites":
        if (node.kind === "function") this.#function("req", node, [name]);
        else if (node.kind === "value" && Array.isArray(node.value)) this.#data([name], node.value);
        else this.#problem([name], "`rewrites` must be an array of rules, or a function.");
        break;
      case "lib":
        // Map functions see `views.lib` and nothing else of the design document.
        this.#data(["views", "lib"], this.#texts(node, [name]));
        break;
      case "options":
        for (const [option, value] of this.object(node, [name])) this.#option(option, value);
        break;
      case "autoupdate":
        if (node.kind === "value" && typeof node.value === "boolean") this.#data([name], node.value);
        else this.#problem([name], "`autoupdate` must be true or false.");
        break;
      default:
        this.#problem([name], `there is no \`${name}\` in a design document; it may export ${known}.`);
    }
  }

  object(node: OutlineNode, path: readonly string[]): readonly (readonly [string, OutlineNode])[] {
    if (node.kind === "object") return Object.entries(node.members);
    this.#problem(path, `\`${path.join(".")}\` must be an object.`);
    return [];
  }

  #view(name: string, node: OutlineNode): void {
    const path = ["views", name] as const;
    if (name === "lib") {
      this.#problem(path, "`views.lib` is where modules stand: export them as `lib`.");
      return;
    }
    if (node.kind !== "object") {
      this.#problem(path, `\`views.${name}\` must be an object.`);
      return;
    }
    const { map, reduce, options: viewOptions, ...others } = node.members;
    for (const other of Object.keys(others)) {
      this.#problem([...path, other], `\`views.${name}.${other}\` is neither \`map\` nor \`reduce\` nor \`options\`.`);
    }
    this.#function("doc", map, [...path, "map"]);
    if (reduce?.kind === "function") this.#function("keys, values, rereduce", reduce, [...path, "reduce"]);
    else if (reduce) this.#builtIn(reduce, [...path, "reduce"]);
    if (viewOptions) this.#viewOptions(viewOptions, [...path, "options"]);
  }

  #function(parameters: string, node: OutlineNode | undefined, path: FunctionMember["path"]): void {
    if (node?.kind !== "function") {
      this.#problem(path, `\`${path.join(".")}\` must be a function.`);
    } else if (/^async\s/.test(node.text)) {
      this.#problem(path, `\`${path.join(".")}\` must not be async: nobody waits for what it promises.`);
    } else {
      this.functions.push({ path, parameters, text: node.text });
    }
  }

  #builtIn(node: OutlineNode, path: DataMember["path"]): void {
    if (node.kind === "value" && typeof node.value === "string" && builtInReduce.test(node.value)) {
      this.#data(path, node.value);
    } else {
      this.#problem(path, `\`${path.join(".")}\` must be a function, or ${builtInNames}.`);
    }
  }

  #viewOptions(node: OutlineNode, path: DataMember["path"]): void {
    for (const [name, value] of this.object(node, path)) {
      const option: DataMember["path"] = [...path, name];
      if (name !== "collation")
        this.#problem(option, `\`${option.join(".")}\`: a view has no option but \`collation\`.`);
      else if (value.kind === "value" && (value.value === "raw" || value.value === "default"))
        this.#data(option, value.value);
      else this.#problem(option, `\`${option.join(".")}\` must be "raw" or "default".`);
    }
  }

  #option(name: string, node: OutlineNode): void {
    if (!options.includes(name)) {
      this.#problem(["options", name], `there is no option \`${name}\`; there are ${options.join(", ")}.`);
    } else if (node.kind === "value" && typeof node.value === "boolean") {
      this.#data(["options", name], node.value);
    } else {
      this.#problem(["options", name], `\`options.${name}\` must be true or false.`);
    }
  }

  #texts(node: OutlineNode, path: readonly string[]): unknown {
    if (node.kind === "value" && typeof node.value === "string" && path.length > 1) return node.value;
    if (node.kind !== "object") {
      const words =
        path.length > 1 ? "must be the text of a module, or an object of such" : "must be an object of texts";
      this.#problem(path, `\`${path.join(".")}\` ${words}.`);
      return undefined;
    }
    return Object.fromEntries(
      Object.entries(node.members).map(([name, member]) => [name, this.#texts(member, [...path, name])]),
    );
  }

  #data(path: DataMember["path"], value: unknown): void {
    this.data.push({ path, value });
  }

  #problem(path: readonly string[], words: string): void {
    this.problems.push({ path, words });
  }
}

const known = `views, lib, ${Object.keys(functionsByName).join(", ")}, rewrites, validate_doc_update, options, autoupdate`;
