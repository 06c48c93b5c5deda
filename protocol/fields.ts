/** Objects that clients send, checked against a schema: one reason for each bad field. */
import { z } from "zod";
import { CouchError } from "./errors.js";

/** An object without other members than these: ignoring what somebody asks for would look as if it had been given. */
export function fields<Shape extends z.ZodRawShape>(shape: Shape): z.ZodObject<Shape, z.core.$strict> {
  return z.strictObject(shape, {
    error: (issue) => (issue.code === "unrecognized_keys" ? "There is no such field." : "An object is expected."),
  });
}

/** @throws CouchError bad_request, with `fields`: one reason for each bad field */
export function parseFields<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const reasons = new Map<string, string>();
  for (const issue of parsed.error.issues) {
    const names = issue.code === "unrecognized_keys" ? issue.keys : [issue.path.map(String).join(".")];
    for (const name of names) if (name !== "" && !reasons.has(name)) reasons.set(name, issue.message);
  }
  if (reasons.size === 0) throw new CouchError("bad_request", "Request body must be a JSON object");
  const reason = [...reasons].map(([field, why]) => `${field}: ${why}`).join(" ");
  throw new CouchError("bad_request", reason, { detail: { fields: Object.fromEntries(reasons) } });
}
