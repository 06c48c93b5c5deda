/** Which exports a design document may have, and of what kind. */
import type { OutlineNode } from "../sandbox/outline.js";
import type { FunctionMember } from "./design-doc-function.js";

/** Words about an export, fit to be shown to the author. */
export class MemberError extends Error {
  constructor(words: string) {
    super(words);
    this.name = "MemberError";
  }
}

/** Plain data among the exports, e.g. `_count` at `["views", "by-type", "reduce"]`. */
export interface DataMember {
  readonly path: FunctionMember["path"];
  readonly value: unknown;
}

export interface DesignDocMembers {
  readonly functions: readonly FunctionMember[];
  readonly data: readonly DataMember[];
}

const builtInReduce = /^_(count|sum|stats|approx_count_distinct)$/;
const known = "views, filters, updates, validate_doc_update, options, autoupdate";

/** @throws MemberError */
export function membersOf(exports: OutlineNode): DesignDocMembers {
  const data: DataMember[] = [];
  const functions: FunctionMember[] = [];
  const add = (parameters: string, node: OutlineNode | undefined, ...path: [string, ...string[]]): void => {
    if (node?.kind !== "function") throw new MemberError(`\`${path.join(".")}\` must be a function.`);
    functions.push({ path, parameters, text: node.text });
  };

  for (const [name, node] of Object.entries(objectOf(exports, "the module"))) {
    switch (name) {
      case "views":
        for (const [view, definition] of Object.entries(objectOf(node, name))) {
          const { map, reduce, ...others } = objectOf(definition, `views.${view}`);
          const [other] = Object.keys(others);
          if (other !== undefined)
            throw new MemberError(`\`views.${view}.${other}\` is neither \`map\` nor \`reduce\`.`);
          add("doc", map, name, view, "map");
          if (reduce?.kind === "value") data.push({ path: [name, view, "reduce"], value: builtIn(reduce.value, view) });
          else if (reduce) add("keys, values, rereduce", reduce, name, view, "reduce");
        }
        break;
      case "filters":
      case "updates":
        for (const [member, value] of Object.entries(objectOf(node, name))) add("doc, req", value, name, member);
        break;
      case "validate_doc_update":
        add("newDoc, oldDoc, userCtx, secObj", node, name);
        break;
      case "options":
        objectOf(node, name);
        data.push({ path: [name], value: dataOf(node, name) });
        break;
      case "autoupdate":
        if (typeof dataOf(node, name) !== "boolean") throw new MemberError("`autoupdate` must be true or false.");
        data.push({ path: [name], value: dataOf(node, name) });
        break;
      default:
        throw new MemberError(`there is no \`${name}\` in a design document; it may export ${known}.`);
    }
  }
  return { functions, data };
}

function builtIn(reduce: unknown, view: string): string {
  if (typeof reduce === "string" && builtInReduce.test(reduce)) return reduce;
  throw new MemberError(
    `\`views.${view}.reduce\` must be a function or _count, _sum, _stats or _approx_count_distinct.`,
  );
}

function objectOf(node: OutlineNode | undefined, path: string): Readonly<Record<string, OutlineNode>> {
  if (node?.kind !== "object") throw new MemberError(`\`${path}\` must be an object.`);
  return node.members;
}

function dataOf(node: OutlineNode, path: string): unknown {
  if (node.kind === "function") throw new MemberError(`\`${path}\` must not hold a function.`);
  if (node.kind === "value") return node.value;
  const members = Object.entries(node.members).map(([name, member]) => [name, dataOf(member, `${path}.${name}`)]);
  return Object.fromEntries(members);
}
