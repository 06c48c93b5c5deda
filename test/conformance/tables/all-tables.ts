/** Every table there is. */
import { again } from "./again.js";
import { attachments } from "./attachments.js";
import { bombs } from "./bombs.js";
import { bulk } from "./bulk.js";
import { changesFeeds } from "./changes-feeds.js";
import { concurrency } from "./concurrency.js";
import { databases } from "./databases.js";
import { documents } from "./documents.js";
import { duplicateMembers } from "./duplicate-members.js";
import { largeBodies } from "./large-bodies.js";
import { listingsTable } from "./listings.js";
import { localDocuments } from "./local-documents.js";
import { multipart } from "./multipart.js";
import { securityShapes } from "./security-shapes.js";
import { server } from "./server.js";
import { sessions } from "./sessions.js";
import type { Table } from "./table.js";

const families: readonly Table[] = [
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
  largeBodies,
  concurrency,
  duplicateMembers,
  securityShapes,
  bombs,
];

export const allTables: readonly Table[] = [...families, again(families)];
