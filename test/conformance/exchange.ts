/** Sends one step of a scenario and brings the answer to the form that recordings have. */
import { basic } from "../helpers/http-client.js";
import {
  normaliseBody,
  normaliseEvents,
  normaliseHeaders,
  normaliseJson,
  normaliseText,
  shapeOf,
  withoutBoundaries,
} from "./normalise.js";
import type { Answer, Step } from "./scenario.js";
import { fill, fillDeep, fillPath, type Variables } from "./variables.js";

/** Milliseconds. The slowest recorded answers are feeds that wait for a few seconds. */
const answerTimeout = 20_000;

export type Request = Omit<Step, "name" | "want">;

/** Saves what the step says into `variables`. A request that gets no answer gives `{failure}`. */
export async function exchange(step: Request, server: URL, variables: Variables): Promise<Answer> {
  try {
    // By `fetch`, as the recordings were made: it decodes compressed answers and tidies paths up.
    const response = await fetch(server.origin + fillPath(step.path, variables), {
      method: step.method,
      ...payload(step, server, variables),
      redirect: "manual",
      signal: AbortSignal.timeout(answerTimeout),
    });
    return answer(step, response, await response.text(), variables);
  } catch (error) {
    return { failure: error instanceof Error ? error.message : String(error) };
  }
}

function payload(step: Request, server: URL, variables: Variables): { headers: Headers; body?: string | Buffer } {
  const headers = new Headers({ accept: "application/json", ...fillDeep(step.headers ?? {}, variables) });
  const as = step.as ?? "admin";
  if (as === "admin" && !headers.has("authorization")) {
    headers.set("authorization", basic(decodeURIComponent(server.username), decodeURIComponent(server.password)));
  } else if (as !== "admin" && as !== "anonymous") {
    const [name = "", password = ""] = fill(as, variables).split(":");
    headers.set("authorization", basic(name, password));
  }
  if (step.body !== undefined) {
    if (!headers.has("content-type")) headers.set("content-type", "application/json");
    return { headers, body: JSON.stringify(fillDeep(step.body, variables)) };
  }
  if (step.text !== undefined) return { headers, body: fill(step.text, variables) };
  if (step.base64 !== undefined) return { headers, body: Buffer.from(step.base64, "base64") };
  return { headers };
}

function answer(step: Request, response: Response, received: string, variables: Variables): Answer {
  const contentType = response.headers.get("content-type");
  let text = withoutBoundaries(received, contentType);
  if (contentType?.includes("event-stream")) text = normaliseEvents(text, variables);
  const json = step.raw ? undefined : parsed(text);
  for (const [name, path] of Object.entries(step.save ?? {})) variables[name] = saved(path, response, json?.value);
  const head = { status: response.status, headers: normaliseHeaders(response.headers, variables) };
  if (json !== undefined) {
    return { ...head, json: step.shape ? shapeOf(json.value) : normaliseJson(json.value, variables) };
  }
  if (text === "") return head;
  return { ...head, text: step.raw ? normaliseText(text, variables) : normaliseBody(text, variables) };
}

function parsed(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

function saved(path: string, response: Response, json: unknown): unknown {
  if (path.startsWith("cookie:")) {
    const cookie = response.headers.getSetCookie().find((one) => one.startsWith(`${path.slice(7)}=`));
    return cookie?.split(";")[0] ?? "";
  }
  if (path.startsWith("header:")) return response.headers.get(path.slice(7));
  return path.split(".").reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], json);
}
