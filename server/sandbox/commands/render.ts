import type { Mime, MimeRequest } from "../in-realm/mime.js";
import type { RealmTools, Subject } from "../in-realm/tools.js";

/**
 * Functions that make an answer to a client: `show` of a document and a request, `update` likewise, `rewrite` of a request, `list`
 * of rows. Answers: `{response}`, `{doc, response}` with the document's JSON text or null, `{rewrite}`, `{start, body}`.
 *
 * A list function pulls its rows with `getRow()`, within one call that cannot wait for more: it is given the rows that there are so
 * far, a line each. Where it asks for one more and there may be one, the answer is `{more: true}`, and it is called again from the
 * beginning with more rows.
 */
export function renderInRealm(
  tools: RealmTools,
  createMime: (tools: RealmTools) => Mime,
): {
  readonly show: (doc: string, req: string) => string;
  readonly update: (doc: string, req: string) => string;
  readonly rewrite: (req: string) => string;
  readonly list: (head: string, req: string, rows: string, more: string) => string;
} {
  interface Response {
    headers?: Record<string, unknown>;
    body?: unknown;
    [member: string]: unknown;
  }
  interface Request extends MimeRequest {
    readonly path?: readonly string[];
  }
  const { parse, stringify, apply } = tools;
  const { isArray } = Array;
  const mime = createMime(tools);

  let started: Response = {};
  let sent = "";
  /** What the first `getRow` found: headers are out from then on. */
  let head: Response | undefined;
  let rows = "";
  let next = 0;
  let mayBeMore = false;
  let starved = false;

  const reset = (): void => {
    mime.reset();
    started = {};
    sent = "";
    head = undefined;
    rows = "";
    next = 0;
    mayBeMore = false;
    starved = false;
  };

  const withContentType = (response: Response): Response => {
    const type = mime.contentType();
    const headers = response.headers ?? {};
    if (type !== undefined && !headers["Content-Type"]) headers["Content-Type"] = type;
    response.headers = headers;
    return response;
  };

  const isObject = (value: unknown): value is Response =>
    typeof value === "object" && value !== null && !isArray(value);
  const wrapped = (response: unknown): unknown => (typeof response === "string" ? { body: response } : response);

  const begin = (): void => {
    head ??= withContentType(started);
  };

  tools.define("start", (response: unknown) => {
    started = isObject(response) ? response : {};
  });
  tools.define("send", (chunk: unknown) => {
    sent += `${chunk}`;
  });
  tools.define("getRow", () => {
    begin();
    if (next >= rows.length) {
      starved = mayBeMore;
      return null;
    }
    const end = rows.indexOf("\n", next);
    const row = parse(rows.slice(next, end));
    next = end + 1;
    return row;
  });

  /** CouchDB's own form `["error", word, reason]`, its older one `{error, reason}`, or whatever else was thrown. */
  const failure = (thrown: unknown): string => {
    if (isArray(thrown) && (thrown[0] === "error" || thrown[0] === "fatal"))
      return tools.refuse(`${thrown[1]}`, thrown[2]);
    if (isObject(thrown) && thrown["error"] && thrown["reason"])
      return tools.refuse(`${thrown["error"]}`, thrown["reason"]);
    const words = `function raised error: ${tools.textOf(thrown)}`;
    tools.log(words);
    return tools.refuse("render_error", words);
  };

  /** Calls the function, and gives the answer to what it throws. */
  const attempt = (use: (subject: Subject) => unknown, refuse = failure): string => {
    try {
      reset();
      const outcome = stringify(use(tools.subjects[0] as Subject));
      // Only the last run of a list function counts, and what it logs.
      if (starved) tools.answer();
      return tools.answer(starved ? '{"more":true}' : outcome);
    } catch (thrown) {
      const exhausted = tools.exhausted(thrown);
      if (exhausted !== undefined) return tools.answer(exhausted);
      if (starved) {
        tools.answer();
        return tools.answer('{"more":true}');
      }
      try {
        return tools.answer(refuse(thrown));
      } catch {
        return tools.answer(tools.refuse("render_error", "function raised something that cannot be read"));
      }
    }
  };

  const shown = (subject: Subject, doc: unknown, req: Request): Response => {
    const response = wrapped(apply(subject, tools.self, [doc, req]) || {});
    if (isObject(response)) {
      if (sent !== "") {
        // In a show CouchDB takes what `start` is given for headers themselves; in a list they are a member of it.
        const { code: _, headers, ...plain } = started;
        response.headers = { ...response.headers, ...plain, ...headers };
        if (started["code"] !== undefined && response["code"] === undefined) response["code"] = started["code"];
        response.body = sent + (response.body || "");
        sent = "";
      }
      if (mime.isUsed()) {
        const provided = wrapped(mime.run(req) || {}) as Response;
        response.body = `${response.body || ""}${sent}${provided.body || ""}`;
        withContentType(response);
      }
      return response;
    }
    throw ["error", "render_error", "undefined response from show function"];
  };

  return {
    show: (docText, reqText) => {
      let isMissing = false;
      return attempt(
        (subject) => {
          const doc = parse(docText);
          const req = parse(reqText) as Request;
          isMissing = doc === null && (req.path?.length ?? 0) > 5;
          return { response: shown(subject, doc, req) };
        },
        // A function that trips over a document that is not there says nothing better than that.
        (thrown) => (isMissing ? tools.refuse("not_found", "document not found") : failure(thrown)),
      );
    },
    update: (docText, reqText) =>
      attempt((subject) => {
        const result = apply(subject, tools.self, [parse(docText), parse(reqText)]) as [unknown, unknown];
        const doc = result[0];
        const response = wrapped(result[1]);
        if (!isObject(response)) throw ["error", "render_error", "undefined response from update function"];
        return { doc: isObject(doc) ? stringify(doc) : null, response };
      }),
    rewrite: (reqText) =>
      attempt((subject) => {
        const req = parse(reqText) as { readonly method?: unknown };
        const result = apply(subject, tools.self, [req]);
        return { rewrite: typeof result === "string" ? { path: result, method: req.method } : result || null };
      }),
    list: (headText, reqText, rowTexts, more) =>
      attempt((subject) => {
        rows = rowTexts;
        mayBeMore = more !== "";
        const req = parse(reqText) as Request;
        let tail = apply(subject, tools.self, [parse(headText), req]);
        if (mime.isUsed()) tail = mime.run(req);
        begin();
        return { start: head, body: tail === undefined ? sent : `${sent}${tail}` };
      }),
  };
}
