/**
 * The error catalogue: every failure a client can see, in CouchDB's words. `docs/errors.md` explains each to a user and
 * a test keeps the two equal. Code throws `CouchError`; one place (`server/http/error-reply.ts`) turns it into a reply.
 */
export interface CatalogueEntry {
  /** HTTP status. */
  readonly status: number;
  /** Reason given when the thrower has nothing better to say. */
  readonly reason: string;
}

const entry = (status: number, reason: string): CatalogueEntry => ({ status, reason });

export const catalogue = {
  bad_request: entry(400, "The request could not be understood."),
  query_parse_error: entry(400, "A query parameter could not be understood."),
  doc_validation: entry(400, "The document has a member that it must not have."),
  illegal_docid: entry(400, "The document id is not allowed."),
  illegal_partition: entry(400, "The partition is not allowed."),
  illegal_database_name: entry(400, "The database name is not allowed."),
  database_name_too_long: entry(400, "The database name is too long."),
  compilation_error: entry(400, "A function of the design document does not compile."),
  invalid_design_doc: entry(400, "A member of the design document has the wrong type."),
  invalid_selector_json: entry(400, "The selector is not a JSON object."),
  invalid_selector: entry(400, "The selector could not be understood."),
  invalid_operator: entry(400, "The selector has an operator that does not exist."),
  bad_arg: entry(400, "An operator of the selector has an argument that it does not take."),
  not_supported: entry(400, "The selector has an operator that is not supported."),
  invalid_fields: entry(400, "The fields are not a list of names."),
  invalid_field: entry(400, "A field is not a name."),
  missing_required_key: entry(400, "A member of the body is missing."),
  invalid_key: entry(400, "The body has a member that means nothing here."),
  invalid_string: entry(400, "A member of the body is not a text."),
  invalid_empty_string: entry(400, "A member of the body is an empty text."),
  invalid_boolean: entry(400, "A member of the body is neither true nor false."),
  invalid_pos_integer: entry(400, "A member of the body is not an integer greater than zero."),
  invalid_non_neg_integer: entry(400, "A member of the body is not an integer, or a negative one."),
  invalid_sort_json: entry(400, "The fields to sort by, or of an index, are not a list."),
  invalid_sort_field: entry(400, "Something to sort by, or to index, is no field."),
  unsupported_mixed_sort: entry(400, "Sorts currently only support a single direction for all fields."),
  no_usable_index: entry(400, "No index exists for this sort, try indexing by the sort fields."),
  invalid_bookmark: entry(400, "The bookmark could not be understood."),
  invalid_index_name: entry(400, "The name of an index could not be understood."),
  invalid_index: entry(400, "There is no such index, or it cannot be used."),
  invalid_list_index_params: entry(400, "Index parameter ranges: limit > 1, skip > 0"),
  invalid_bulk_docs: entry(400, "Bulk Delete requires an array of non-null docids."),
  invalid_ddoc_lang: entry(400, "The design document is in another language."),
  invalid_partitioned_option: entry(400, "The design document is partitioned, or not, unlike the index."),
  content_md5_mismatch: entry(400, "Possible message corruption."),
  invalid_replication: entry(400, "The replication could not be understood."),
  unauthorized: entry(401, "You are not authorized to access this db."),
  forbidden: entry(403, "You are not allowed to do that."),
  not_found: entry(404, "missing"),
  method_not_allowed: entry(405, "Only other methods are allowed here."),
  not_acceptable: entry(406, "The accepted content types cannot be served."),
  conflict: entry(409, "Document update conflict."),
  gone: entry(410, "Temporary views are not supported in CouchDB"),
  file_exists: entry(412, "The database could not be created, the file already exists."),
  missing_stub: entry(412, "An attachment stub names an attachment that is not there."),
  too_large: entry(413, "The request entity is too large."),
  document_too_large: entry(413, "The document is too large."),
  attachment_too_large: entry(413, "The attachment is too large."),
  bad_content_type: entry(415, "Content-Type must be application/json"),
  requested_range_not_satisfiable: entry(416, "Requested range not satisfiable"),
  expectation_failed: entry(417, "The expectation could not be met."),
  too_many_requests: entry(429, "Too many requests. Try again later."),
  db_not_found: entry(500, "A database of the replication could not be opened."),
  replication_auth_error: entry(500, "A peer of the replication refused the credentials."),
  replication_error: entry(500, "The replication failed."),
  unknown_error: entry(500, "An unknown error occurred."),
  show_error: entry(404, "Invalid path."),
  list_error: entry(404, "Invalid path."),
  update_error: entry(404, "Invalid path."),
  rewrite_error: entry(404, "Invalid path."),
  insecure_rewrite_rule: entry(500, "too many ../.. segments"),
  external_response_error: entry(500, "A function of the design document gave an answer that is none."),
  render_error: entry(500, "A function of the design document failed to make an answer."),
  unknown_query_language: entry(500, "The language of the design document is not supported."),
  invalid_value: entry(500, "A value of the view is not fit for its reduce function."),
  internal_server_error: entry(500, "An internal error occurred."),
  not_implemented: entry(501, "Settee does not do this yet."),
  "required index service unavailable": entry(503, "Indexes of this type are not there."),
  insufficient_storage: entry(507, "The quota is used up."),
  service_unavailable: entry(503, "The server is stopping or overloaded. Try again later."),
  timeout: entry(500, "The request could not be processed in a reasonable amount of time."),
} as const satisfies Record<string, CatalogueEntry>;

export type ErrorName = keyof typeof catalogue;

export interface CouchErrorOptions {
  /** Replaces the catalogue's status, where CouchDB uses one word with two statuses. */
  readonly status?: number;
  /** Headers of the reply, e.g. `Allow` or `WWW-Authenticate`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Further members of the reply's body. */
  readonly detail?: Readonly<Record<string, unknown>>;
  /** What really happened: logged, never sent. */
  readonly cause?: unknown;
}

/** A failure that a client is told of: `{error: name, reason}` with the catalogue's status. */
export class CouchError extends Error {
  readonly status: number;
  readonly error: ErrorName;
  readonly reason: string;
  readonly headers: Readonly<Record<string, string>> | undefined;
  readonly detail: Readonly<Record<string, unknown>> | undefined;

  constructor(error: ErrorName, reason: string = catalogue[error].reason, options: CouchErrorOptions = {}) {
    super(`${error}: ${reason}`, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "CouchError";
    this.error = error;
    this.reason = reason;
    this.status = options.status ?? catalogue[error].status;
    this.headers = options.headers;
    this.detail = options.detail;
  }
}
