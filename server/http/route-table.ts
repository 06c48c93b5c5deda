/**
 * The whole HTTP surface on one page: path, methods, what each needs of its caller, who answers. `allow` is in CouchDB's order.
 * HEAD is answered by GET. Needs are explained in `gateway/access.ts`; `_me` stands for the caller's own database in `:db`.
 */
import { METHODS } from "node:http";
import type { UsersAspect } from "../gateway/access.js";
import type { DatabaseHandler, Handler } from "./call.js";
import type { PathRoutes, Route } from "./route.js";
import { activeTasks } from "./routes/active-tasks.js";
import { allDbs } from "./routes/all-dbs.js";
import {
  allDocs,
  allDocsQueries,
  designDocs,
  designDocsQueries,
  localDocs,
  localDocsQueries,
  partitionAllDocs,
} from "./routes/all-docs.js";
import {
  deleteAttachmentRoute,
  readAttachmentRoute,
  refuseLocalAttachment,
  writeAttachmentRoute,
} from "./routes/attachment.js";
import { bulkDocs } from "./routes/bulk-docs.js";
import { bulkGet } from "./routes/bulk-get.js";
import { changes } from "./routes/changes.js";
import {
  clusterState,
  membership,
  noReshardJob,
  refuseResharding,
  reshardJobs,
  reshardState,
  reshardSummary,
  setUpCluster,
} from "./routes/cluster.js";
import { copyDocument } from "./routes/copy-document.js";
import { createDatabase, deleteDatabase, describeDatabase } from "./routes/database.js";
import { dbUpdates } from "./routes/db-updates.js";
import { listDbsInfo, postDbsInfo } from "./routes/dbs-info.js";
import { cleanUpIndexes, compactIndex, describeIndex } from "./routes/design-info.js";
import { deleteDocument, readDocument, writeDocumentRoute } from "./routes/document.js";
import { favicon } from "./routes/favicon.js";
import { explainFind, explainInPartition, findDocuments, findInPartition } from "./routes/find.js";
import { uploadForm } from "./routes/form-upload.js";
import { list, listWithoutView } from "./routes/list.js";
import { ensureFullCommit, nothingToClean, startCompaction } from "./routes/maintenance.js";
import { createIndex, deleteIndex, deleteIndexes, listIndexes, unknownOfIndex } from "./routes/mango-indexes.js";
import {
  deleteConfigValue,
  noDeeperConfig,
  readConfig,
  readConfigSection,
  readConfigValue,
  reloadConfig,
  writeConfigValue,
} from "./routes/node/config.js";
import { prometheus, stats, system } from "./routes/node/measurements.js";
import {
  describeNode,
  incompleteNodePath,
  ofThisNode,
  refuseRestart,
  smooshStatus,
  unknownOfNode,
  versions,
} from "./routes/node/this-node.js";
import { noSearch, noTemporaryViews, reloadQueryServers } from "./routes/not-here.js";
import { describePartition, partitionWithoutName, unknownOfPartition } from "./routes/partition.js";
import { postDocument } from "./routes/post-document.js";
import { purgeRevisions, readPurgedInfos, readPurgedInfosLimit, writePurgedInfosLimit } from "./routes/purge.js";
import { replicate, replicateWithoutBody } from "./routes/replicate.js";
import { missingRevs, revsDiff } from "./routes/revs-diff.js";
import { readRevsLimit, writeRevsLimit } from "./routes/revs-limit.js";
import { rewrite } from "./routes/rewrite.js";
import { schedulerAlone, schedulerDocs, schedulerDocsBelow, schedulerJob, schedulerJobs } from "./routes/scheduler.js";
import { readSecurity, writeSecurity } from "./routes/security.js";
import { deleteSession, getSession, postSession } from "./routes/session.js";
import { readShardOfDocument, readShards } from "./routes/shards.js";
import { show, showWithoutName } from "./routes/show.js";
import { unknownPath } from "./routes/unknown-path.js";
import { up } from "./routes/up.js";
import { update, updateWithoutName } from "./routes/update.js";
import { utils } from "./routes/utils.js";
import { uuids } from "./routes/uuids.js";
import { queryView, queryViewOfPartition, queryViewSeveralTimes } from "./routes/view.js";
import { welcome } from "./routes/welcome.js";
import { setteeRoutes } from "./settee/routes.js";

const anybody = (handler: Handler): Route => ({ need: "public", handler });
const admin = (handler: Handler): Route => ({ need: "server-admin", handler });
/** On `/_node/:node`. */
const nodeAdmin = (handler: Handler): Route => admin(ofThisNode(handler));
const nodeMetrics = (handler: Handler): Route => ({ need: "metrics", handler: ofThisNode(handler) });
const reader = (handler: DatabaseHandler): Route => ({ need: "read", handler });
const member = (handler: DatabaseHandler): Route => ({ need: "member", handler });
const ofUsers = (aspect: UsersAspect, need: "read" | "member" | "write", handler: DatabaseHandler): Route => ({
  need,
  handler,
  ofUsers: aspect,
});
const writer = (handler: DatabaseHandler): Route => ({ need: "write", handler });
const databaseAdmin = (handler: DatabaseHandler): Route => ({ need: "database-admin", handler });
const serverAdmin = (handler: DatabaseHandler): Route => ({ need: "server-admin", handler });

const path = (path: string, allow: string, methods: Readonly<Record<string, Route>>): PathRoutes => ({
  path,
  allow,
  methods,
});

const document = {
  GET: ofUsers("own-document", "read", readDocument),
  PUT: ofUsers("new-document", "write", writeDocumentRoute),
  DELETE: ofUsers("own-document", "write", deleteDocument),
  POST: writer(uploadForm),
  COPY: writer(copyDocument),
};
/** A copy becomes a document of any kind. */
const localDocument = {
  ...document,
  GET: member(readDocument),
  PUT: member(writeDocumentRoute),
  DELETE: member(deleteDocument),
};
const anyMethod = (route: Route) => Object.fromEntries(METHODS.map((method) => [method, route]));
const unknown = anyMethod(anybody(unknownPath));
const documentMethods = "DELETE,GET,HEAD,POST,PUT,COPY";

const attachment = {
  GET: reader(readAttachmentRoute),
  PUT: writer(writeAttachmentRoute),
  DELETE: writer(deleteAttachmentRoute),
};
const attachmentMethods = "DELETE,GET,HEAD,PUT";
const viewMethods = "GET,POST,HEAD";

const lists = (handler: DatabaseHandler) => ({
  GET: reader(handler),
  POST: reader(handler),
  OPTIONS: reader(handler),
});
const listMethods = "GET,POST,HEAD";

export const routeTable: readonly PathRoutes[] = [
  // The server
  path("/", "GET,HEAD", { GET: anybody(welcome) }),
  path("/_up", "GET,HEAD", { GET: anybody(up) }),
  path("/_all_dbs", "GET,HEAD", { GET: admin(allDbs) }),
  path("/_dbs_info", "GET,HEAD,POST", { GET: admin(listDbsInfo), POST: admin(postDbsInfo) }),
  path("/_uuids", "GET", { GET: anybody(uuids) }),
  path("/_session", "GET,HEAD,POST,DELETE", {
    GET: anybody(getSession),
    POST: anybody(postSession),
    DELETE: anybody(deleteSession),
  }),
  path("/_utils", "GET,HEAD", { GET: anybody(utils) }),
  path("/_utils/*", "GET,HEAD", { GET: anybody(utils) }),
  path("/favicon.ico", "GET,HEAD", { GET: anybody(favicon) }),

  path("/_db_updates", "GET", { GET: admin(dbUpdates) }),
  path("/_active_tasks", "GET,HEAD", { GET: admin(activeTasks) }),
  path("/_replicate", "POST", { GET: anybody(replicateWithoutBody), POST: anybody(replicate) }),
  path("/_scheduler", "GET,HEAD", { GET: admin(schedulerAlone) }),
  path("/_scheduler/jobs", "GET,HEAD", { GET: admin(schedulerJobs) }),
  path("/_scheduler/jobs/:job", "GET,HEAD", { GET: admin(schedulerJob) }),
  path("/_scheduler/docs", "GET,HEAD", { GET: admin(schedulerDocs) }),
  path("/_scheduler/docs/*", "GET,HEAD", { GET: admin(schedulerDocsBelow) }),
  path("/_membership", "GET", { GET: admin(membership) }),
  path("/_cluster_setup", "GET,POST", { GET: admin(clusterState), POST: admin(setUpCluster) }),
  path("/_reshard", "GET", { GET: admin(reshardSummary) }),
  path("/_reshard/state", "GET,PUT", { GET: admin(reshardState), PUT: admin(refuseResharding) }),
  path("/_reshard/jobs", "GET,POST", { GET: admin(reshardJobs), POST: admin(refuseResharding) }),
  path("/_reshard/jobs/:job", "GET,DELETE", { GET: admin(noReshardJob), DELETE: admin(noReshardJob) }),
  path("/_reshard/jobs/:job/state", "GET,PUT", { GET: admin(noReshardJob), PUT: admin(noReshardJob) }),
  path("/_search_analyze", "GET,POST", { GET: admin(noSearch), POST: admin(noSearch) }),
  path("/_nouveau_analyze", "GET,POST", { GET: admin(noSearch), POST: admin(noSearch) }),
  path("/_reload_query_servers", "POST", { POST: admin(reloadQueryServers) }),

  // The node
  path("/_node", "GET", { GET: admin(incompleteNodePath) }),
  path("/_node/:node", "GET", { GET: nodeAdmin(describeNode) }),
  path("/_node/:node/_versions", "GET", { GET: nodeAdmin(versions) }),
  path("/_node/:node/_stats", "GET", { GET: nodeMetrics(stats) }),
  path("/_node/:node/_stats/*", "GET", { GET: nodeMetrics(stats) }),
  path("/_node/:node/_system", "GET", { GET: nodeMetrics(system) }),
  path("/_node/:node/_prometheus", "GET", { GET: nodeMetrics(prometheus) }),
  path("/_node/:node/_smoosh/status", "GET", { GET: nodeAdmin(smooshStatus) }),
  path("/_node/:node/_restart", "POST", { POST: nodeAdmin(refuseRestart) }),
  path("/_node/:node/_config", "GET", { GET: nodeAdmin(readConfig) }),
  path("/_node/:node/_config/_reload", "POST", { POST: nodeAdmin(reloadConfig) }),
  path("/_node/:node/_config/:section", "GET", { GET: nodeAdmin(readConfigSection) }),
  path("/_node/:node/_config/:section/:key", "GET,PUT,DELETE", {
    GET: nodeAdmin(readConfigValue),
    PUT: nodeAdmin(writeConfigValue),
    DELETE: nodeAdmin(deleteConfigValue),
  }),
  path("/_node/:node/_config/:section/:key/*", "GET", { GET: nodeAdmin(noDeeperConfig) }),
  path("/_node/:node/*", "", anyMethod(nodeAdmin(unknownOfNode))),

  // Settee's own
  ...setteeRoutes,
  path("/_settee/*", "", unknown),

  // A database
  path("/:db", "DELETE,GET,HEAD,POST", {
    GET: ofUsers("about", "read", describeDatabase),
    PUT: { need: "server-admin", handler: createDatabase, creates: true },
    DELETE: serverAdmin(deleteDatabase),
    POST: writer(postDocument),
  }),
  path("/:db/_security", "PUT,GET", {
    GET: ofUsers("about", "member", readSecurity),
    PUT: databaseAdmin(writeSecurity),
  }),
  path("/:db/_revs_limit", "PUT,GET", { GET: reader(readRevsLimit), PUT: databaseAdmin(writeRevsLimit) }),
  path("/:db/_temp_view", "", anyMethod(reader(noTemporaryViews))),
  path("/:db/_ensure_full_commit", "POST", { POST: reader(ensureFullCommit) }),
  path("/:db/_compact", "POST", { POST: databaseAdmin(startCompaction) }),
  path("/:db/_compact/:ddoc", "POST", { POST: databaseAdmin(compactIndex) }),
  path("/:db/_compact/:ddoc/*", "POST", { POST: databaseAdmin(compactIndex) }),
  path("/:db/_view_cleanup", "POST", { POST: databaseAdmin(cleanUpIndexes) }),
  path("/:db/_search_cleanup", "POST", { POST: databaseAdmin(nothingToClean) }),
  path("/:db/_nouveau_cleanup", "POST", { POST: databaseAdmin(nothingToClean) }),
  path("/:db/_sync_shards", "POST", { POST: serverAdmin(nothingToClean) }),
  path("/:db/_shards", "GET", { GET: reader(readShards) }),
  path("/:db/_shards/:docid", "GET", { GET: reader(readShardOfDocument) }),
  path("/:db/_purge", "POST", { POST: serverAdmin(purgeRevisions) }),
  path("/:db/_purged_infos", "GET", { GET: reader(readPurgedInfos) }),
  path("/:db/_purged_infos_limit", "GET,PUT", {
    GET: reader(readPurgedInfosLimit),
    PUT: serverAdmin(writePurgedInfosLimit),
  }),
  path("/:db/_bulk_docs", "POST", { POST: writer(bulkDocs) }),
  path("/:db/_bulk_get", "POST", { POST: reader(bulkGet) }),

  path("/:db/_revs_diff", "POST", { POST: reader(revsDiff) }),
  path("/:db/_missing_revs", "POST", { POST: reader(missingRevs) }),
  path("/:db/_changes", "GET,POST,HEAD", {
    GET: ofUsers("listing", "read", changes),
    POST: ofUsers("listing", "read", changes),
  }),
  path("/:db/_all_docs", "GET,HEAD,POST", {
    GET: ofUsers("listing", "read", allDocs),
    POST: ofUsers("listing", "read", allDocs),
  }),
  path("/:db/_all_docs/queries", "POST", { POST: reader(allDocsQueries) }),
  path("/:db/_design_docs", "GET,HEAD,POST", { GET: reader(designDocs), POST: reader(designDocs) }),
  path("/:db/_design_docs/queries", "POST", { POST: reader(designDocsQueries) }),
  path("/:db/_local_docs", "GET,HEAD,POST", { GET: member(localDocs), POST: member(localDocs) }),
  path("/:db/_local_docs/queries", "POST", { POST: member(localDocsQueries) }),
  path("/:db/_find", "POST", { POST: reader(findDocuments) }),
  path("/:db/_explain", "POST", { POST: reader(explainFind) }),
  // A member may ask for an index that is there; one that is not is a design document, which only administrators write.
  path("/:db/_index", "GET,POST", { GET: reader(listIndexes), POST: writer(createIndex) }),
  path("/:db/_index/_bulk_delete", "POST", { POST: writer(deleteIndexes) }),
  path("/:db/_index/:ddoc", "DELETE", { DELETE: reader(unknownOfIndex) }),
  path("/:db/_index/:ddoc/:type/:name", "DELETE", { DELETE: writer(deleteIndex) }),
  path("/:db/_index/_design/:ddoc/:type/:name", "DELETE", { DELETE: writer(deleteIndex) }),
  path("/:db/_index/*", "", anyMethod(reader(unknownOfIndex))),
  path("/:db/_partition", "GET", { GET: reader(partitionWithoutName) }),
  path("/:db/_partition/:partition", "GET", { GET: reader(describePartition) }),
  path("/:db/_partition/:partition/_all_docs", "GET,HEAD,POST", {
    GET: reader(partitionAllDocs),
    POST: reader(partitionAllDocs),
  }),
  path("/:db/_partition/:partition/_design/:ddoc/_view/:view", "GET,HEAD,POST", {
    GET: reader(queryViewOfPartition),
    POST: reader(queryViewOfPartition),
  }),
  path("/:db/_partition/:partition/_find", "POST", { POST: reader(findInPartition) }),
  path("/:db/_partition/:partition/_explain", "POST", { POST: reader(explainInPartition) }),
  path("/:db/_partition/:partition/*", "", anyMethod(reader(unknownOfPartition))),

  // A document
  path("/:db/:docid", documentMethods, document),
  path("/:db/_design/:ddoc", documentMethods, document),
  path("/:db/_local/:local", documentMethods, localDocument),

  // What a design document has
  path("/:db/_design/:ddoc/_view", viewMethods, {}),
  path("/:db/_design/:ddoc/_view/:view", viewMethods, { GET: reader(queryView), POST: reader(queryView) }),
  path("/:db/_design/:ddoc/_view/:view/queries", "POST", { POST: reader(queryViewSeveralTimes) }),
  path("/:db/_design/:ddoc/_info", "GET", { GET: reader(describeIndex) }),

  // What functions of a design document make of requests
  path("/:db/_design/:ddoc/_show", "", anyMethod(reader(showWithoutName))),
  path("/:db/_design/:ddoc/_show/:func", "", anyMethod(reader(show))),
  path("/:db/_design/:ddoc/_show/:func/*", "", anyMethod(reader(show))),
  path("/:db/_design/:ddoc/_list", listMethods, lists(listWithoutView)),
  path("/:db/_design/:ddoc/_list/:func", listMethods, lists(listWithoutView)),
  path("/:db/_design/:ddoc/_list/:func/:view", listMethods, lists(list)),
  path("/:db/_design/:ddoc/_list/:func/:other/:view", listMethods, lists(list)),
  path("/:db/_design/:ddoc/_list/:func/:other/:view/*", listMethods, lists(listWithoutView)),
  path("/:db/_design/:ddoc/_update", "", anyMethod(writer(updateWithoutName))),
  path("/:db/_design/:ddoc/_update/:func", "", anyMethod(writer(update))),
  path("/:db/_design/:ddoc/_update/:func/*", "", anyMethod(writer(update))),
  path("/:db/_design/:ddoc/_rewrite", "", anyMethod(reader(rewrite))),
  path("/:db/_design/:ddoc/_rewrite/*", "", anyMethod(reader(rewrite))),

  // An attachment, its name the rest of the path
  path("/:db/:docid/*", attachmentMethods, attachment),
  path("/:db/_local/:local/*", "", anyMethod(reader(refuseLocalAttachment))),
  path("/:db/_design/:ddoc/*", attachmentMethods, attachment),

  // Whatever is none of these
  path("/*", "", unknown),
];
