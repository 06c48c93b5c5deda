/**
 * Nodes of an index tree. They never change; an update makes new ones in their place.
 *
 *   leaf    0, varint: rows; the rows (`rows.ts`)
 *   inner   1, varint: children; varint: reductions of each; the children
 *   child   varints: node number, rows below, bytes of the node, children or rows in it; texts: key and id of its first row,
 *           then its reductions
 */
import { ByteReader, ByteWriter } from "../../documents/bytes.js";
import { parseExact } from "../exact-json.js";
import type { Places } from "./places.js";
import type { Reduction } from "./reducer.js";
import { Rows } from "./rows.js";

export type TreeNode = Rows | Branches;

interface ChildFacts {
  readonly rows: number;
  readonly bytes: number;
  readonly width: number;
  /** JSON text. */
  readonly key: string;
  readonly id: string;
}

/** A node as its parent knows it. What may change is settled when it is written, by the one who made it. */
export class Child {
  /** 0: not written yet. */
  number: number;
  /** Undefined: not computed yet. One for each reduce function. */
  reductions: readonly Reduction[] | undefined;
  /** Kept here until it is on disk. */
  node: TreeNode | undefined;
  /** Rows below. */
  readonly rows: number;
  /** Bytes of the node, about. */
  readonly bytes: number;
  /** Children or rows in the node. */
  readonly width: number;
  /** Of its first row, as JSON text. */
  readonly key: string;
  readonly id: string;
  #parsedKey: unknown;

  constructor(facts: ChildFacts, number: number, reductions?: readonly Reduction[], node?: TreeNode) {
    this.rows = facts.rows;
    this.bytes = facts.bytes;
    this.width = facts.width;
    this.key = facts.key;
    this.id = facts.id;
    this.number = number;
    this.reductions = reductions;
    this.node = node;
  }

  static ofRows(rows: Rows): Child {
    const { count } = rows;
    const facts = { rows: count, bytes: rows.bytes.length, width: count, key: rows.keyText(0), id: rows.id(0) };
    return new Child(facts, 0, undefined, rows);
  }

  /** `bytes`: what the children take in it. */
  static ofBranches(branches: Branches, bytes: number): Child {
    const { children, count } = branches;
    const { key, id } = children[0] as Child;
    return new Child({ rows: branches.rowsBefore(count), bytes, width: count, key, id }, 0, undefined, branches);
  }

  get parsedKey(): unknown {
    if (this.#parsedKey === undefined) this.#parsedKey = parseExact(this.key);
    return this.#parsedKey;
  }

  /** Bytes that it takes in its parent, without reductions. */
  get size(): number {
    return 12 + Buffer.byteLength(this.key) + Buffer.byteLength(this.id);
  }
}

/** An inner node. */
export class Branches implements Places {
  readonly children: readonly Child[];
  /** Rows before each child, and all of them. */
  readonly #before: number[] = [0];

  constructor(children: readonly Child[]) {
    this.children = children;
    let rows = 0;
    for (const child of children) {
      rows += child.rows;
      this.#before.push(rows);
    }
  }

  get count(): number {
    return this.children.length;
  }

  key(i: number): unknown {
    return this.child(i).parsedKey;
  }

  id(i: number): string {
    return this.child(i).id;
  }

  child(i: number): Child {
    return this.children[i] as Child;
  }

  /** Rows that stand before child `i`. */
  rowsBefore(i: number): number {
    return this.#before[i] as number;
  }

  /** The child that has the row of this rank. */
  childAt(rank: number): number {
    let low = 0;
    let high = this.children.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.rowsBefore(middle) <= rank) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

const leafKind = 0;
const innerKind = 1;
const writer = new ByteWriter(64 * 1024);

export function encodeNode(node: TreeNode): Buffer {
  writer.reset();
  if (node instanceof Rows) return writer.byte(leafKind).varint(node.count).raw(node.bytes).copy();
  writer
    .byte(innerKind)
    .varint(node.count)
    .varint(node.child(0).reductions?.length ?? 0);
  for (const child of node.children) encodeChild(writer, child);
  return writer.copy();
}

export function decodeNode(bytes: Buffer): TreeNode {
  const reader = new ByteReader(bytes);
  const kind = reader.byte();
  const count = reader.varint();
  if (kind === leafKind) return Rows.decode(bytes.subarray(reader.at), count);
  const reductions = reader.varint();
  const children: Child[] = [];
  for (let i = 0; i < count; i++) children.push(decodeChild(reader, reductions));
  return new Branches(children);
}

/** @throws Error when the child is not settled */
export function encodeChild(into: ByteWriter, child: Child): void {
  if (child.number === 0 || !child.reductions) throw new Error("a node is written before its children");
  into.varint(child.number).varint(child.rows).varint(child.bytes).varint(child.width).text(child.key).text(child.id);
  for (const reduction of child.reductions) into.text(reduction);
}

export function decodeChild(reader: ByteReader, reductions: number): Child {
  const number = reader.varint();
  const [rows, bytes, width] = [reader.varint(), reader.varint(), reader.varint()];
  const [key, id] = [reader.text(), reader.text()];
  const reduced: Reduction[] = [];
  for (let i = 0; i < reductions; i++) reduced.push(reader.text());
  return new Child({ rows, bytes, width, key, id }, number, reduced);
}
