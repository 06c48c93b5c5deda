/** The rules are those of a user's own database, and so are their samples. */
export { documents, filters, views, writes } from "../user/app.samples.js";
