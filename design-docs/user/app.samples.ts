/** What the functions of `app.ts` are to do; `npx settee design check` sees whether they do. */
import type { Documents, FilterSamples, ViewSamples, Writes } from "../samples.js";

const noType = "forbidden: A document must have a `type` that is a string.";
const notYours = "forbidden: A new document's `owner` must be your own user name.";
const kept = "forbidden: The `owner` of a document cannot be changed.";
const admin = { user: "root", roles: ["_admin"] };

export const writes: Writes = [
  { title: "a document with a type", doc: { type: "note" }, expect: "accepted" },
  { title: "a document without a type", doc: { text: "x" }, expect: noType },
  { title: "a type that is no string", doc: { type: 7 }, expect: noType },
  { title: "a type that an administrator forgot", doc: {}, ...admin, expect: noType },
  { title: "one's own document", doc: { type: "note", owner: "ada" }, expect: "accepted" },
  { title: "a document in somebody else's name", doc: { type: "note", owner: "bob" }, expect: notYours },
  { title: "a document in a guest's name", doc: { type: "note", owner: "ada" }, user: null, expect: notYours },
  {
    title: "a document that an administrator makes for a user",
    doc: { type: "note", owner: "bob" },
    ...admin,
    expect: "accepted",
  },
  {
    title: "an edit that keeps the owner",
    doc: { type: "note", owner: "bob", n: 2 },
    oldDoc: { type: "note", owner: "bob" },
    expect: "accepted",
  },
  {
    title: "an edit that changes the owner",
    doc: { type: "note", owner: "ada" },
    oldDoc: { type: "note", owner: "bob" },
    expect: kept,
  },
  {
    title: "an edit that drops the owner",
    doc: { type: "note" },
    oldDoc: { type: "note", owner: "ada" },
    expect: kept,
  },
  {
    title: "an administrator who changes the owner",
    doc: { type: "note", owner: "ada" },
    oldDoc: { type: "note", owner: "bob" },
    ...admin,
    expect: kept,
  },
  {
    title: "an owner set later, oneself",
    doc: { type: "note", owner: "ada" },
    oldDoc: { type: "note" },
    expect: "accepted",
  },
  {
    title: "an owner set later, somebody else",
    doc: { type: "note", owner: "bob" },
    oldDoc: { type: "note" },
    expect: notYours,
  },
  {
    title: "a deletion with nothing but its mark",
    doc: { _deleted: true },
    oldDoc: { type: "note", owner: "bob" },
    expect: "accepted",
  },
  { title: "a deletion of what was never here", doc: { _deleted: true }, expect: "accepted" },
  {
    title: "a deletion by an administrator",
    doc: { _deleted: true },
    oldDoc: { type: "note" },
    ...admin,
    expect: "accepted",
  },
  {
    title: "a new document where one was deleted",
    doc: { type: "note", owner: "ada" },
    oldDoc: { _deleted: true, owner: "bob" },
    expect: "accepted",
  },
  {
    title: "a document of older times without a type, repaired",
    doc: { type: "note" },
    oldDoc: { text: "x" },
    expect: "accepted",
  },
  { title: "a design document", doc: { _id: "_design/mine", views: {} }, expect: "accepted" },
];

export const documents: Documents = [
  { _id: "a", type: "note", createdAt: "2026-01-31" },
  { _id: "b", type: "task" },
  { _id: "c", type: 7 },
  { _id: "d", _deleted: true },
  { _id: "e", type: "note", createdAt: "2026-01-30" },
];

export const views: ViewSamples = {
  "by-type": {
    rows: [
      { id: "e", key: ["note", "2026-01-30"], value: null },
      { id: "a", key: ["note", "2026-01-31"], value: null },
      { id: "b", key: ["task", null], value: null },
    ],
    reduced: 3,
  },
};

export const filters: FilterSamples = {
  "by-type": [
    { query: { type: "note" }, expect: ["a", "d", "e"] },
    { query: { type: "task" }, expect: ["b", "d"] },
  ],
};
