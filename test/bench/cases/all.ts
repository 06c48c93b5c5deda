import type { BenchCase } from "../bench-case.js";
import { logIns, signUps } from "./accounts.js";
import { getAttachment, putAttachment } from "./attachments.js";
import { bulkDocsFourClients, bulkDocsOneClient } from "./bulk-docs.js";
import { bulkGet } from "./bulk-get.js";
import { createDatabase } from "./create-database.js";
import { createMany } from "./create-many.js";
import { getDocument64 } from "./get-document.js";
import { groupedReduce } from "./grouped-reduce.js";
import { hostileDesign } from "./hostile-design.js";
import { hugeAttachment } from "./huge-attachment.js";
import { identifyRequests } from "./identify.js";
import { idleFeeds } from "./idle-feeds.js";
import { largeDatabase } from "./large-database.js";
import { liveFeeds } from "./live-feeds.js";
import { mangoQuery } from "./mango-query.js";
import { manyDatabases } from "./many-databases.js";
import { oneTemplate } from "./one-template.js";
import { pouchPull, pouchPush } from "./pouchdb.js";
import { put64InOneDatabase, put64OverDatabases, putOneAfterTheOther } from "./put-document.js";
import { replicatedAttachments, replicatedDocuments, restingReplications } from "./replication.js";
import { revsDiff } from "./revs-diff.js";
import { viewBuild } from "./view-build.js";
import { viewQuery } from "./view-query.js";
import { allDocsWithDocuments, changesWhole, changesWithDocuments } from "./whole-listings.js";
import { writeThenQuery } from "./write-then-query.js";

/** In the order of the table. */
export const allCases: readonly BenchCase[] = [
  createDatabase,
  bulkDocsOneClient,
  bulkDocsFourClients,
  putOneAfterTheOther,
  put64InOneDatabase,
  put64OverDatabases,
  getDocument64,
  revsDiff,
  bulkGet,
  changesWhole,
  changesWithDocuments,
  allDocsWithDocuments,
  pouchPush,
  pouchPull,
  putAttachment,
  getAttachment,
  liveFeeds,
  viewBuild,
  viewQuery,
  groupedReduce,
  writeThenQuery,
  mangoQuery,
  hostileDesign,
  createMany,
  manyDatabases,
  oneTemplate,
  idleFeeds,
  identifyRequests,
  largeDatabase,
  hugeAttachment,
  replicatedDocuments,
  replicatedAttachments,
  restingReplications,
  signUps,
  logIns,
];
