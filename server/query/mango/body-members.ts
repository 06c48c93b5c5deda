/** Members of a JSON body, checked one after the other as CouchDB does: the first mistake is told, in its words. */
import { CouchError } from "../../../protocol/errors.js";
import { erlangTerm } from "./erlang-term.js";

export type Json = Readonly<Record<string, unknown>>;

export interface Member<T> {
  /** The value of a member that is there. @throws CouchError */
  readonly read: (json: unknown) => T;
  /** What a missing member means; undefined: it must be there. */
  readonly absent: { readonly value: T } | undefined;
}

type Members = Readonly<Record<string, Member<unknown>>>;
type ValuesOf<M extends Members> = { readonly [K in keyof M]: M[K] extends Member<infer T> ? T : never };

export function required<T>(read: (json: unknown) => T): Member<T> {
  return { read, absent: undefined };
}

export function optional<T>(value: T, read: (json: unknown) => T): Member<T> {
  return { read, absent: { value } };
}

/**
 * A function that reads bodies, member by member in the order of `members`.
 * @throws CouchError missing_required_key, invalid_key, and what the members throw
 */
export function memberReader<M extends Members>(members: M): (body: Json) => ValuesOf<M> {
  const entries = Object.entries(members);
  return (body) => {
    const values: Record<string, unknown> = {};
    for (const [name, { read, absent }] of entries) {
      if (Object.hasOwn(body, name)) values[name] = read(body[name]);
      else if (absent) values[name] = absent.value;
      else throw new CouchError("missing_required_key", `Missing required key: ${name}`);
    }
    const unknown = Object.keys(body).find((name) => !Object.hasOwn(members, name));
    if (unknown !== undefined) throw new CouchError("invalid_key", `Invalid key ${unknown} for this request.`);
    return values as ValuesOf<M>;
  };
}

export function readBoolean(json: unknown): boolean {
  if (typeof json === "boolean") return json;
  throw new CouchError("invalid_boolean", `Invalid boolean value: ${erlangTerm(json)}`);
}

export function readText(json: unknown): string {
  if (typeof json === "string") return json;
  throw new CouchError("invalid_string", `Invalid string: ${erlangTerm(json)}`);
}

export function readCount(json: unknown): number {
  if (Number.isInteger(json) && (json as number) >= 0) return json as number;
  throw new CouchError(
    "invalid_non_neg_integer",
    `${erlangTerm(json)} is not an integer greater than or equal to zero`,
  );
}

export function readPositive(json: unknown): number {
  if (Number.isInteger(json) && (json as number) > 0) return json as number;
  throw new CouchError("invalid_pos_integer", `${erlangTerm(json)} is not an integer greater than zero`);
}

export function isObject(json: unknown): json is Json {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}
