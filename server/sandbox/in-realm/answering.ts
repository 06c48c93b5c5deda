import type { Mime } from "./mime.js";
import type { RealmTools } from "./tools.js";

/** As CouchDB has it: `code`, `headers`, `body` and more, of which nothing is checked in here. */
export interface Response {
  headers?: Record<string, unknown>;
  body?: unknown;
  [member: string]: unknown;
}

/** What functions that make answers to clients have in common. */
export interface Answering {
  readonly isObject: (value: unknown) => value is Response;
  /** A text is a body. */
  readonly wrapped: (response: unknown) => unknown;
  /** With the type that `provides` chose, where there is no other. */
  readonly withContentType: (response: Response) => Response;
  /** Calls `answer`; what it throws becomes a refusal, by `refuse` (default: in CouchDB's words). */
  readonly attempt: (answer: () => string, refuse?: (thrown: unknown) => string) => string;
  readonly failure: (thrown: unknown) => string;
}

export function createAnswering(tools: RealmTools, mime: Mime): Answering {
  const { isArray } = Array;

  const isObject = (value: unknown): value is Response =>
    typeof value === "object" && value !== null && !isArray(value);

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

  return {
    isObject,
    wrapped: (response) => (typeof response === "string" ? { body: response } : response),
    withContentType: (response) => {
      const type = mime.contentType();
      const headers = response.headers ?? {};
      if (type !== undefined && !headers["Content-Type"]) headers["Content-Type"] = type;
      response.headers = headers;
      return response;
    },
    attempt: (answer, refuse = failure) => {
      try {
        mime.reset();
        return answer();
      } catch (thrown) {
        const exhausted = tools.exhausted(thrown);
        if (exhausted !== undefined) return tools.answer(exhausted);
        try {
          return tools.answer(refuse(thrown));
        } catch {
          return tools.answer(tools.refuse("render_error", "function raised something that cannot be read"));
        }
      }
    },
    failure,
  };
}
