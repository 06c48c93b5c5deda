/** Databases that the server itself reads meaning into, by their names: `_users`, `_replicator`, and those that end like them. */
export type DatabaseKind = "ordinary" | "users" | "replicator";

/** Asked once, when a database is opened: every way of reading and writing it goes by the answer. */
export function databaseKind(name: string): DatabaseKind {
  if (name === "_users" || name.endsWith("/_users")) return "users";
  if (name === "_replicator" || name.endsWith("/_replicator")) return "replicator";
  return "ordinary";
}
