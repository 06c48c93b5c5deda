/**
 * Regular expressions of selectors. They are a stranger's code, so they run in an engine that takes time in proportion to the
 * text and never backtracks (docs/decisions says what that costs).
 */
import { RE2JS } from "re2js";
import { CouchError } from "../../../protocol/errors.js";
import { erlangTerm } from "./erlang-term.js";

export type Regex = (text: string) => boolean;

/** Instructions of a compiled pattern. */
const largestProgram = 10_000;
/**
 * Instructions times characters: half a second on a slow machine. A longer search finds nothing, which is also what CouchDB's engine
 * does at its own limit.
 */
const longestSearch = 100_000_000;
/** What CouchDB's engine knows and this one does not: look-around, back references, atomic groups, some escapes. */
const unsupported = /(?:unsupported Perl syntax|invalid escape sequence|invalid nested repetition operator|invalid named capture): (`.*`)/s;

/** True for texts that have a match anywhere. @throws CouchError bad_arg, not_supported */
export function compileRegex(pattern: string): Regex {
  const regex = compile(pattern);
  const size = regex.programSize();
  if (size > largestProgram) throw new CouchError("not_supported", "The regular expression is too large.");
  return (text) => text.length * size <= longestSearch && regex.test(text);
}

function compile(pattern: string): RE2JS {
  try {
    return RE2JS.compile(pattern);
  } catch (error) {
    const [, part] = unsupported.exec(String(error)) ?? [];
    if (part) throw new CouchError("not_supported", `Unsupported in a regular expression: ${part}`, { cause: error });
    throw new CouchError("bad_arg", `Bad argument for operator $regex: ${erlangTerm(pattern)}`, { cause: error });
  }
}
