/** In every database that users share: the rules of a user's own, where `owner` is whoever of the members wrote the document. */
export { filters, validate_doc_update, views } from "../user/app.js";
