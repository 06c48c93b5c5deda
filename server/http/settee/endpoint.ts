/** Endpoints of Settee's own, under `/_settee/`: declared once, for the check at the door and for the OpenAPI document. */
import { z } from "zod";
import { parseFields } from "../../../protocol/fields.js";
import type { ServerNeed } from "../../gateway/access.js";
import { readJson, requireJson } from "../body.js";
import { type Call, type Handler, json, type Reply } from "../call.js";
import { readFields } from "../form-body.js";
import type { Route } from "../route.js";

export interface EndpointDescription<Body, Answer> {
  /** One line, for people. */
  readonly summary: string;
  readonly need: ServerNeed;
  /** Of the request; none: the endpoint takes no body. */
  readonly body?: z.ZodType<Body>;
  /** Also as a form, as OAuth 2 has it. */
  readonly form?: boolean;
  /** Of the query string: parameters and what they mean. */
  readonly query?: Readonly<Record<string, string>>;
  /** Of the answer when all goes well. */
  readonly reply: z.ZodType<Answer>;
  /** Default: `application/json`. */
  readonly replyType?: string;
  /** Default: 200. */
  readonly status?: 200 | 201 | 202 | 302;
  /** Words of the error catalogue that it may answer with, beside `bad_request` for its body. */
  readonly errors?: readonly string[];
}

/** What a handler gives when more than a body is to be said; `answer` is checked by the compiler, not at run time. */
export interface EndpointAnswer<Answer> {
  readonly answer: Answer;
  readonly headers?: Readonly<Record<string, string>>;
}

export type EndpointHandler<Body, Answer> = (
  call: Call,
  body: Body,
) => Promise<EndpointAnswer<Answer>> | EndpointAnswer<Answer>;

/** Bodies of accounts, invitations, settings: these are read of strangers, and are short. */
const maxBody = 64 * 1024;

/** A route that reads and checks the body, calls the handler, and answers with JSON. */
export function endpoint<Body, Answer>(
  description: EndpointDescription<Body, Answer>,
  handler: EndpointHandler<Body, Answer>,
): Route {
  return {
    need: description.need,
    description: description as EndpointDescription<never, unknown>,
    handler: async (call: Call): Promise<Reply> => {
      const body = await bodyOf(call, description);
      const { answer, headers } = await handler(call, body);
      return json(answer, description.status ?? 200, headers);
    },
  };
}

/** A route that reads and answers by itself, for words that are not ours (OAuth's). */
export function described<Body>(description: EndpointDescription<Body, unknown>, handler: Handler): Route {
  return { need: description.need, description: description as EndpointDescription<never, unknown>, handler };
}

async function bodyOf<Body>(call: Call, { body, form }: EndpointDescription<Body, unknown>): Promise<Body> {
  if (!body) return undefined as Body;
  if (form) return parseFields(body, await readFields(call));
  requireJson(call);
  return parseFields(body, await readJson(call, maxBody));
}

export const ok = z.strictObject({ ok: z.literal(true) });
