/** What CouchDB calls a node that belongs to no cluster. */
export const nodeName = "nonode@nohost";
