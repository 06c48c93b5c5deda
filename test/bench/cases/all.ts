import type { BenchCase } from "../bench-case.js";
import { getAttachment, putAttachment } from "./attachments.js";
import { bulkDocsFourClients, bulkDocsOneClient } from "./bulk-docs.js";
import { bulkGet } from "./bulk-get.js";
import { createDatabase } from "./create-database.js";
import { createMany } from "./create-many.js";
import { getDocument64 } from "./get-document.js";
import { hugeAttachment } from "./huge-attachment.js";
import { idleFeeds } from "./idle-feeds.js";
import { largeDatabase } from "./large-database.js";
import { liveFeeds } from "./live-feeds.js";
import { manyDatabases } from "./many-databases.js";
import { pouchPull, pouchPush } from "./pouchdb.js";
import { put64InOneDatabase, put64OverDatabases, putOneAfterTheOther } from "./put-document.js";
import { revsDiff } from "./revs-diff.js";
import { allDocsWithDocuments, changesWhole, changesWithDocuments } from "./whole-listings.js";

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
  createMany,
  manyDatabases,
  idleFeeds,
  largeDatabase,
  hugeAttachment,
];
