/** `npm run check`: types, then lint and format. */
import { ensureInstalled } from "./ensure-installed.mjs";
import { checkDesignDocs, checkStyle, checkTypes } from "./steps.mjs";

ensureInstalled();
const outcomes = [checkTypes(), checkDesignDocs(), checkStyle()];
process.exitCode = outcomes.every(Boolean) ? 0 : 1;
