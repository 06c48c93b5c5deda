/** Fields of an account that an app defines: JSON Schema in the setting `accounts.profile`. */
import { z } from "zod";
import { CouchError } from "../../../protocol/errors.js";

export type ProfileSchema = z.ZodType;

/** Bytes of JSON: a profile is a few fields, and not a place to keep data. */
const maxSize = 16 * 1024;

/** @throws Error when the schema has something that is not understood */
export function profileSchemaOf(schema: Readonly<Record<string, unknown>>): ProfileSchema {
  return z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0]) as ProfileSchema;
}

/** @throws CouchError bad_request, with `fields` */
export function checkedProfile(schema: ProfileSchema | undefined, profile: unknown): unknown {
  if (profile === undefined && !schema) return undefined;
  if (!schema) throw refusal({ profile: "There are no profile fields here." });
  const parsed = schema.safeParse(profile ?? {});
  if (!parsed.success) {
    throw refusal(
      Object.fromEntries(parsed.error.issues.map(({ path, message }) => [["profile", ...path].join("."), message])),
    );
  }
  if (JSON.stringify(parsed.data).length > maxSize) throw refusal({ profile: `At most ${maxSize} bytes are kept.` });
  return parsed.data;
}

function refusal(fields: Readonly<Record<string, string>>): CouchError {
  const reason = Object.entries(fields).map(([field, why]) => `${field}: ${why}`);
  return new CouchError("bad_request", reason.join(" "), { detail: { fields } });
}
