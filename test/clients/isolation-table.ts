/**
 * Every way into another user's database that we could think of. `DB` stands for its name, `NAME` for its owner's,
 * `SECRET_REV` and `OTHER_REV` for the revisions of its two documents.
 */

export interface Attempt {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** What the administrator is answered: shows that the attempt is a real one, and not refused for a slip of ours. */
  readonly works?: number;
}

const text = { "content-type": "text/plain" };
const written = { type: "note", text: "written by a stranger" };
const replicated = { ...written, _id: "forged", _rev: "9-ffffffffffffffffffffffffffffffff" };
const selector = { selector: { type: "note" } };

export const reading: readonly Attempt[] = [
  { method: "GET", path: "/DB", works: 200 },
  { method: "HEAD", path: "/DB", works: 200 },
  { method: "GET", path: "/DB/", works: 200 },
  { method: "GET", path: "/DB/_all_docs", works: 200 },
  { method: "GET", path: "/DB/_all_docs?include_docs=true&attachments=true", works: 200 },
  { method: "POST", path: "/DB/_all_docs", body: { keys: ["secret"] }, works: 200 },
  { method: "POST", path: "/DB/_all_docs/queries", body: { queries: [{}] }, works: 200 },
  { method: "GET", path: "/DB/_design_docs", works: 200 },
  { method: "GET", path: "/DB/_local_docs", works: 200 },
  { method: "GET", path: "/DB/_changes", works: 200 },
  { method: "GET", path: "/DB/_changes?include_docs=true&style=all_docs", works: 200 },
  { method: "GET", path: "/DB/_changes?feed=longpoll&timeout=50", works: 200 },
  { method: "GET", path: "/DB/_changes?feed=continuous&timeout=50", works: 200 },
  { method: "GET", path: "/DB/_changes?feed=eventsource&timeout=50", works: 200 },
  { method: "POST", path: "/DB/_changes?filter=_doc_ids", body: { doc_ids: ["secret"] }, works: 200 },
  { method: "POST", path: "/DB/_changes?filter=_selector", body: selector },
  { method: "GET", path: "/DB/secret", works: 200 },
  { method: "HEAD", path: "/DB/secret", works: 200 },
  { method: "GET", path: "/DB/secret?open_revs=all", works: 200 },
  { method: "GET", path: "/DB/secret?revs=true&conflicts=true&attachments=true", works: 200 },
  { method: "GET", path: "/DB/secret/file.bin", works: 200 },
  { method: "HEAD", path: "/DB/secret/file.bin", works: 200 },
  { method: "GET", path: "/DB/secret/file.bin", headers: { range: "bytes=0-3" }, works: 206 },
  { method: "GET", path: "/DB/_local/mark", works: 200 },
  { method: "GET", path: "/DB/_design/judged", works: 200 },
  { method: "GET", path: "/DB/_design/judged/_info", works: 200 },
  { method: "GET", path: "/DB/_design/judged/_view/texts", works: 200 },
  { method: "GET", path: "/DB/_design/judged/_view/texts?include_docs=true", works: 200 },
  { method: "GET", path: "/DB/_design/judged/_show/one/secret", works: 200 },
  { method: "GET", path: "/DB/_design/judged/_list/all/texts", works: 200 },
  { method: "GET", path: "/DB/_design/judged/_rewrite/anything", works: 200 },
  { method: "POST", path: "/DB/_bulk_get", body: { docs: [{ id: "secret" }] }, works: 200 },
  { method: "POST", path: "/DB/_bulk_get?revs=true&attachments=true", body: { docs: [{ id: "secret" }] }, works: 200 },
  { method: "POST", path: "/DB/_revs_diff", body: { secret: ["1-a"] }, works: 200 },
  { method: "POST", path: "/DB/_missing_revs", body: { secret: ["1-a"] }, works: 200 },
  { method: "POST", path: "/DB/_find", body: selector },
  { method: "POST", path: "/DB/_explain", body: selector },
  { method: "GET", path: "/DB/_index" },
  { method: "GET", path: "/DB/_security", works: 200 },
  { method: "GET", path: "/DB/_revs_limit", works: 200 },
  { method: "GET", path: "/DB/_purged_infos_limit" },
];

/** Other spellings of the same: refused, or not understood. */
export const disguised: readonly Attempt[] = [
  { method: "GET", path: "//DB/secret" },
  { method: "GET", path: "/DB//secret" },
  { method: "GET", path: "/_me/../DB/secret" },
  { method: "GET", path: "/_me%2f..%2fDB/secret" },
  { method: "GET", path: "/_me/%2e%2e/DB/secret" },
  { method: "GET", path: "/./DB/secret" },
  { method: "GET", path: "/%75serdb-ENCODED/secret" },
  { method: "GET", path: "/DB%2fsecret" },
  { method: "GET", path: "/DB/secret%2ffile.bin" },
  { method: "GET", path: "/DB%00/secret" },
  { method: "GET", path: "/_utils/../DB/secret" },
  { method: "GET", path: "/DB/secret", headers: { "x-http-method-override": "PUT" } },
  {
    method: "GET",
    path: "/_me",
    headers: { "x-couchdb-requested-path": "/DB/secret", "x-original-url": "/DB/secret" },
  },
];

export const writing: readonly Attempt[] = [
  { method: "PUT", path: "/DB/forged-put", body: written, works: 201 },
  { method: "PUT", path: "/DB/forged-late?batch=ok", body: written, works: 202 },
  { method: "POST", path: "/DB", body: written, works: 201 },
  { method: "POST", path: "/DB/_bulk_docs", body: { docs: [written] }, works: 201 },
  { method: "POST", path: "/DB/_bulk_docs", body: { docs: [replicated], new_edits: false }, works: 201 },
  { method: "PUT", path: "/DB/forged?new_edits=false", body: replicated, works: 201 },
  { method: "PUT", path: "/DB/other/forged.txt?rev=OTHER_REV", body: "text", headers: text, works: 201 },
  { method: "PUT", path: "/DB/_local/forged", body: { last_seq: 1 }, works: 201 },
  { method: "DELETE", path: "/DB/_local/mark", works: 200 },
  { method: "PUT", path: "/DB/_design/forged", body: { views: {} }, works: 201 },
  { method: "COPY", path: "/DB/secret", headers: { destination: "copied" }, works: 201 },
  { method: "PUT", path: "/DB/_design/judged/_update/touch/other", works: 201 },
  { method: "POST", path: "/DB/_index", body: { index: { fields: ["text"] }, name: "forged" } },
  { method: "PUT", path: "/DB/_security", body: { members: { names: [] } }, works: 200 },
  { method: "PUT", path: "/DB/_revs_limit", body: 7, works: 200 },
  { method: "PUT", path: "/DB/_purged_infos_limit", body: 7 },
  { method: "POST", path: "/DB/_purge", body: { secret: ["1-a"] }, works: 201 },
  { method: "POST", path: "/DB/_compact", body: {}, works: 202 },
  { method: "POST", path: "/DB/_compact/judged", body: {}, works: 202 },
  { method: "POST", path: "/DB/_view_cleanup", body: {}, works: 202 },
  { method: "POST", path: "/DB/_ensure_full_commit", body: {}, works: 201 },
  { method: "PUT", path: "/DB", works: 412 },
  { method: "DELETE", path: "/DB/secret?rev=SECRET_REV", works: 200 },
  { method: "DELETE", path: "/DB", works: 200 },
];

/** Not of one database: refused, or answered without a word of the other's. */
export const serverWide: readonly Attempt[] = [
  { method: "GET", path: "/_all_dbs", works: 200 },
  { method: "POST", path: "/_dbs_info", body: { keys: ["DB"] }, works: 200 },
  { method: "GET", path: "/_dbs_info", works: 200 },
  { method: "GET", path: "/_db_updates?timeout=50", works: 200 },
  { method: "GET", path: "/_active_tasks", works: 200 },
  { method: "GET", path: "/_users/_all_docs", works: 200 },
  { method: "GET", path: "/_users/_changes?include_docs=true", works: 200 },
  { method: "GET", path: "/_users/org.couchdb.user:NAME", works: 200 },
  { method: "POST", path: "/_users/_find", body: { selector: { name: { $gt: null } } } },
  { method: "POST", path: "/_users/_bulk_get", body: { docs: [{ id: "org.couchdb.user:NAME" }] }, works: 200 },
  { method: "GET", path: "/_replicator/_all_docs?include_docs=true" },
  { method: "GET", path: "/_scheduler/jobs" },
  { method: "GET", path: "/_scheduler/docs" },
  { method: "GET", path: "/_node/_local/_config" },
  { method: "GET", path: "/_settee/me" },
  { method: "GET", path: "/_settee/databases" },
  { method: "GET", path: "/_settee/rollouts" },
  { method: "GET", path: "/_me/_all_docs?include_docs=true" },
];
