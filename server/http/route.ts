import type { Need, ServerNeed, UsersAspect } from "../gateway/access.js";
import type { DatabaseHandler, Handler } from "./call.js";
import type { EndpointDescription } from "./settee/endpoint.js";

/** What a method of a path needs of its caller, and who answers. */
export type Route =
  | {
      readonly need: "server-admin";
      readonly handler: Handler;
      /** The path names a database that is not there yet. */
      readonly creates: true;
    }
  | {
      readonly need: ServerNeed;
      readonly handler: Handler;
      /** Of Settee's own endpoints, for the OpenAPI document. */
      readonly description?: EndpointDescription<never, unknown>;
    }
  | {
      readonly need: "read" | "member" | "write" | "database-admin" | "server-admin";
      readonly handler: DatabaseHandler;
      /** In a database of user documents, for others than server administrators. */
      readonly ofUsers?: UsersAspect;
    };

/** All methods of one path. `HEAD` is answered by `GET` without its body unless it has a row of its own. */
export interface PathRoutes {
  /** In the router's syntax: `/:db/:id`, `*` for the rest of the path. */
  readonly path: string;
  readonly methods: Readonly<Record<string, Route>>;
  /** The `Allow` header: the methods in CouchDB's order, which differs from path to path. */
  readonly allow: string;
}

export type { Need };
