/** Every table there is. */
import { attachments } from "./attachments.js";
import { bulk } from "./bulk.js";
import { changesFeeds } from "./changes-feeds.js";
import { databases } from "./databases.js";
import { documents } from "./documents.js";
import { listingsTable } from "./listings.js";
import { localDocuments } from "./local-documents.js";
import { multipart } from "./multipart.js";
import { server } from "./server.js";
import { sessions } from "./sessions.js";
import type { Table } from "./table.js";

export const allTables: readonly Table[] = [
  server,
  databases,
  documents,
  bulk,
  attachments,
  changesFeeds,
  listingsTable,
  localDocuments,
  sessions,
  multipart,
];
