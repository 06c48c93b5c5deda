import type { RealmTools } from "./tools.js";

/** `provides` and `registerType`: one function that answers in the form that the client likes best. */
export interface Mime {
  /** Before each call. */
  readonly reset: () => void;
  readonly isUsed: () => boolean;
  /** Calls the function that was provided for what the request accepts. Throws `["error", "not_acceptable", ...]` for none. */
  readonly run: (req: MimeRequest) => unknown;
  /** Of what `run` chose; undefined before it did. */
  readonly contentType: () => string | undefined;
}

export interface MimeRequest {
  readonly headers?: { readonly Accept?: unknown };
  readonly query?: { readonly format?: unknown };
}

export function createMime(tools: RealmTools): Mime {
  interface Provided {
    readonly key: string;
    readonly answer: (...args: unknown[]) => unknown;
  }
  const typesOf = new Map<string, readonly string[]>();
  const keyOf = new Map<string, string>();
  let provided: Provided[] = [];
  let contentType: string | undefined;

  const registerType = (key: string, ...types: string[]): void => {
    typesOf.set(key, types);
    for (const type of types) keyOf.set(type, key);
  };
  tools.define("registerType", registerType);
  tools.define("provides", (key: string, answer: Provided["answer"]) => {
    provided.push({ key, answer });
  });

  registerType("all", "*/*");
  registerType("text", "text/plain; charset=utf-8", "txt");
  registerType("html", "text/html; charset=utf-8");
  registerType("xhtml", "application/xhtml+xml", "xhtml");
  registerType("xml", "application/xml", "text/xml", "application/x-xml");
  registerType("js", "text/javascript", "application/javascript", "application/x-javascript");
  registerType("css", "text/css");
  registerType("ics", "text/calendar");
  registerType("csv", "text/csv");
  registerType("rss", "application/rss+xml");
  registerType("atom", "application/atom+xml");
  registerType("yaml", "application/x-yaml", "text/yaml");
  registerType("multipart_form", "multipart/form-data");
  registerType("url_encoded_form", "application/x-www-form-urlencoded");
  registerType("json", "application/json", "text/x-json");

  interface MediaRange {
    readonly type: string;
    readonly subtype: string;
    readonly parameters: ReadonlyMap<string, string>;
    readonly quality: number;
  }

  const parseRange = (text: string): MediaRange => {
    const [name = "", ...rest] = text.split(";");
    const parameters = new Map<string, string>();
    for (const part of rest) {
      const [key, value, more] = part.split("=");
      if (key !== undefined && value !== undefined && more === undefined) parameters.set(key.trim(), value.trim());
    }
    const [type = "", subtype = ""] = (name.trim() === "*" ? "*/*" : name.trim()).split("/");
    const quality = parseFloat(parameters.get("q") ?? "1");
    parameters.delete("q");
    return { type, subtype, parameters, quality: quality >= 0 && quality <= 1 ? quality : 1 };
  };

  const isLike = (one: string, other: string): boolean => one === other || one === "*" || other === "*";

  /** How exactly the client names the type, and how much it likes the most exact of its names for it. */
  const fitOf = (
    text: string,
    accepted: readonly MediaRange[],
  ): { readonly fitness: number; readonly quality: number } => {
    const target = parseRange(text);
    let best = { fitness: -1, quality: 0 };
    for (const range of accepted) {
      if (!isLike(range.type, target.type) || !isLike(range.subtype, target.subtype)) continue;
      let fitness = (range.type === target.type ? 100 : 0) + (range.subtype === target.subtype ? 10 : 0);
      for (const [key, value] of target.parameters) if (range.parameters.get(key) === value) fitness++;
      if (fitness > best.fitness) best = { fitness, quality: range.quality };
    }
    return best;
  };

  /** CouchDB orders candidates as texts, so among equals the last one wins; clients know its choices. */
  const bestMatch = (supported: readonly string[], accept: string): string | undefined => {
    const accepted = accept.split(",").map(parseRange);
    let best: { readonly rank: string; readonly type: string; readonly quality: number } | undefined;
    supported.forEach((type, index) => {
      const { fitness, quality } = fitOf(type, accepted);
      const rank = `${fitness},${quality},${index},${type}`;
      if (!best || rank > best.rank) best = { rank, type, quality };
    });
    return best && best.quality > 0 ? best.type : undefined;
  };

  const firstTypeOf = (key: string): string => {
    const type = typesOf.get(key)?.[0];
    if (type === undefined) throw new TypeError(`no type is registered as ${key}`);
    return type;
  };

  const choose = (accept: unknown, format: unknown): string | undefined => {
    if (format) {
      contentType = firstTypeOf(`${format}`);
      return `${format}`;
    }
    if (!accept) {
      const { key } = provided[0] as Provided;
      contentType = firstTypeOf(key);
      return key;
    }
    provided.reverse();
    contentType = bestMatch(
      provided.flatMap(({ key }) => typesOf.get(key) ?? []),
      `${accept}`,
    );
    return contentType === undefined ? undefined : keyOf.get(contentType);
  };

  return {
    reset: () => {
      provided = [];
      contentType = undefined;
    },
    isUsed: () => provided.length > 0,
    contentType: () => contentType,
    run: ({ headers, query }) => {
      const accept = headers?.Accept;
      const chosen = choose(accept, query?.format);
      const found = provided.find(({ key }) => key === chosen);
      if (found) return tools.apply(found.answer, tools.self, []);
      const types = provided.map(({ key }) => typesOf.get(key)?.join(", ") ?? key).join(", ");
      throw ["error", "not_acceptable", `Content-Type ${accept || chosen} not supported, try one of: ${types}`];
    },
  };
}
