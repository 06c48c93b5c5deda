import type { Answering, Response } from "../in-realm/answering.js";
import type { Mime, MimeRequest } from "../in-realm/mime.js";
import type { RealmTools, Subject } from "../in-realm/tools.js";

/**
 * Functions that make an answer to a client: `show` of a document and a request, `update` likewise, `rewrite` of a request.
 * Answers: `{response}`, `{doc, response}` with the document's JSON text or null, `{rewrite}`.
 */
export function renderInRealm(
  tools: RealmTools,
  mime: Mime,
  { isObject, wrapped, withContentType, attempt, failure }: Answering,
): {
  readonly show: (doc: string, req: string) => string;
  readonly update: (doc: string, req: string) => string;
  readonly rewrite: (req: string) => string;
} {
  interface Request extends MimeRequest {
    readonly path?: readonly string[];
  }
  const { parse, stringify, apply } = tools;

  let started: Response = {};
  let sent = "";

  tools.define("start", (response: unknown) => {
    started = isObject(response) ? response : {};
  });
  tools.define("send", (chunk: unknown) => {
    sent += `${chunk}`;
  });

  const answered = (use: (subject: Subject) => unknown, refuse = failure): string =>
    attempt(() => {
      started = {};
      sent = "";
      return tools.answer(stringify(use(tools.subjects[0] as Subject)));
    }, refuse);

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
      return answered(
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
      answered((subject) => {
        const result = apply(subject, tools.self, [parse(docText), parse(reqText)]) as [unknown, unknown];
        const doc = result[0];
        const response = wrapped(result[1]);
        if (!isObject(response)) throw ["error", "render_error", "undefined response from update function"];
        return { doc: isObject(doc) ? stringify(doc) : null, response };
      }),
    rewrite: (reqText) =>
      answered((subject) => {
        const req = parse(reqText) as { readonly method?: unknown };
        const result = apply(subject, tools.self, [req]);
        return { rewrite: typeof result === "string" ? { path: result, method: req.method } : result || null };
      }),
  };
}
