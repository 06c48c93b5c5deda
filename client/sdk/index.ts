/**
 * `settee/client`: the shapes that Settee's own endpoints take and give, for apps in TypeScript. Types and nothing that
 * runs: an app signs up with `fetch` and syncs with PouchDB, and needs no code of ours for either.
 */
export type { SignUpReply, SignUpRequest } from "../../protocol/account.js";
export type { ErrorName } from "../../protocol/errors.js";
export type { SecurityList, SecurityObject } from "../../protocol/security.js";
export type { TokenRefusal, TokenReply, TokenRequest } from "../../protocol/token.js";
