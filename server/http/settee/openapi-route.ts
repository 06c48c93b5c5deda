import { type Call, json, type Reply } from "../call.js";
import type { PathRoutes } from "../route.js";
import { openApiDocument } from "./openapi.js";

/** `GET /_settee/openapi.json`; made when it is asked for first, since nothing in it changes while the server runs. */
export function openApi(routes: () => readonly PathRoutes[]): (call: Call) => Reply {
  let document: ReturnType<typeof openApiDocument> | undefined;
  return ({ services }) => {
    document ??= openApiDocument(routes(), services.version);
    return json(document);
  };
}
