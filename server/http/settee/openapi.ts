/** The OpenAPI document of `/_settee/`, made from the route table. */
import { z } from "zod";
import { catalogue, type ErrorName } from "../../../protocol/errors.js";
import type { ServerNeed } from "../../gateway/access.js";
import type { PathRoutes } from "../route.js";
import type { EndpointDescription } from "./endpoint.js";

type Json = Readonly<Record<string, unknown>>;

/** Version 3.1, whose schemas are JSON Schema. */
export function openApiDocument(routes: readonly PathRoutes[], version: string): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const { path, methods } of routes) {
    for (const [method, route] of Object.entries(methods)) {
      const description = "description" in route ? route.description : undefined;
      if (!description) continue;
      const template = path.replace(/:(\w+)/g, "{$1}");
      paths[template] = { ...paths[template], [method.toLowerCase()]: operation(path, description) };
    }
  }
  return {
    openapi: "3.1.0",
    info: { title: "Settee", version, description: "What Settee has beside the HTTP API of Apache CouchDB 3.5." },
    paths,
    components: {
      schemas: { Error: errorSchema },
      securitySchemes: {
        cookie: { type: "apiKey", in: "cookie", name: "AuthSession" },
        basic: { type: "http", scheme: "basic" },
        bearer: { type: "http", scheme: "bearer", bearerFormat: "JWT" },
      },
    },
  };
}

const errorSchema = {
  type: "object",
  properties: {
    error: { type: "string" },
    reason: { type: "string" },
    fields: { type: "object", additionalProperties: { type: "string" } },
  },
  required: ["error", "reason"],
} as const;

const credentials = [{ cookie: [] }, { basic: [] }, { bearer: [] }];
const whoMay: Readonly<Record<ServerNeed, string>> = {
  public: "Anybody.",
  user: "Anybody who is logged in.",
  metrics: "Server administrators, and users with the role `_metrics`.",
  "user-manager": "Server administrators, and users with the role `user-manager`.",
  "server-admin": "Server administrators.",
};

function operation(path: string, description: EndpointDescription<never, unknown>): Json {
  const {
    summary,
    need,
    body,
    form,
    query = {},
    reply,
    replyType = "application/json",
    status = 200,
    errors = [],
  } = description;
  const content = (schema: unknown, types = ["application/json"]) =>
    Object.fromEntries(types.map((type) => [type, { schema }]));
  const refusals = [
    ...new Set([...(body ? ["bad_request"] : []), ...(need === "public" ? [] : ["unauthorized"]), ...errors]),
  ];
  const parameters = [
    ...[...path.matchAll(/:(\w+)/g)].map(([, name]) => ({
      name,
      in: "path",
      required: true,
      schema: { type: "string" },
    })),
    ...Object.entries(query).map(([name, text]) => ({
      name,
      in: "query",
      description: text,
      schema: { type: "string" },
    })),
  ];
  const types = form ? ["application/json", "application/x-www-form-urlencoded"] : ["application/json"];
  return {
    summary,
    description: whoMay[need],
    ...(need === "public" ? {} : { security: credentials }),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(body ? { requestBody: { required: true, content: content(schemaOf(body, "input"), types) } } : {}),
    responses: {
      [status]:
        status === 302
          ? { description: "Elsewhere.", headers: { Location: { schema: { type: "string" } } } }
          : { description: "Done.", content: content(schemaOf(reply, "output"), [replyType]) },
      ...responsesOf(refusals),
    },
  };
}

function responsesOf(words: readonly string[]): Json {
  const byStatus = new Map<number, string[]>();
  for (const word of words) {
    const { status } = catalogue[word as ErrorName];
    byStatus.set(status, [...(byStatus.get(status) ?? []), word]);
  }
  return Object.fromEntries(
    [...byStatus].map(([status, names]) => [
      status,
      {
        description: names.join(", "),
        content: { "application/json": { schema: { $ref: "#/components/schemas/Error" } } },
      },
    ]),
  );
}

function schemaOf(schema: z.ZodType, io: "input" | "output"): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: "any" });
  return rest;
}
