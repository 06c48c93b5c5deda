import type { Answering, Response } from "../in-realm/answering.js";
import type { Mime, MimeRequest } from "../in-realm/mime.js";
import type { RealmTools, Subject } from "../in-realm/tools.js";

/** Hands out what was sent so far, and the head once it is known; gives the next rows, a line each, or none when there are no more. */
export type PullRows = (head: string, sent: string) => string;

/**
 * A list function makes an answer of rows, which it reads with `getRow()`. It gets them a batch at a time, from the server, which
 * this thread waits for. The answer has two parts, a line feed between them: the head if it was not handed out before, and the rest
 * of what was sent. The head is JSON text of what `start` was given; it is empty as long as nothing was sent.
 */
export function listInRealm(
  tools: RealmTools,
  mime: Mime,
  { isObject, withContentType, attempt }: Answering,
  pull: PullRows,
): (head: string, req: string) => string {
  const { parse, stringify, apply } = tools;
  const ErrorType = (globalThis as unknown as Record<string, unknown>)["InternalError"] as ErrorConstructor;

  let started: Response = {};
  let sent = "";
  let hasSent = false;
  let hasHead = false;
  let rows = "";
  let next = 0;
  let ended = false;

  /** Where CouchDB sends off what there is: once something goes out, the head went before it. */
  const headOnce = (): string => {
    if (hasHead || !hasSent) return "";
    hasHead = true;
    return stringify(withContentType(started)) as string;
  };
  const takeSent = (): string => {
    const text = sent;
    sent = "";
    return text;
  };

  tools.define("start", (response: unknown) => {
    if (!hasHead) started = isObject(response) ? response : {};
  });
  tools.define("send", (chunk: unknown) => {
    sent += `${chunk}`;
    hasSent = true;
  });

  let head = "";
  tools.define("getRow", () => {
    head += headOnce();
    if (next >= rows.length && !ended) {
      const ready = head;
      head = "";
      rows = pull(ready, takeSent());
      next = 0;
      if (typeof rows !== "string") throw new ErrorType("out of memory");
      ended = rows === "";
    }
    if (ended) return null;
    const end = rows.indexOf("\n", next);
    const row = parse(rows.slice(next, end));
    next = end + 1;
    return row;
  });

  return (headText, reqText) =>
    attempt(() => {
      started = {};
      sent = "";
      head = "";
      hasSent = false;
      hasHead = false;
      rows = "";
      next = 0;
      ended = false;
      const req = parse(reqText) as MimeRequest;
      let tail = apply(tools.subjects[0] as Subject, tools.self, [parse(headText), req]);
      if (mime.isUsed()) tail = mime.run(req);
      if (tail !== undefined && tail !== null) {
        sent += `${tail}`;
        hasSent = true;
      }
      head += headOnce();
      rows = "";
      return tools.answerText(`${head}\n${takeSent()}`);
    });
}
