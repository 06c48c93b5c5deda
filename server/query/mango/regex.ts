/**
 * Regular expressions of selectors. They are a stranger's code, so they run in an engine that takes time in proportion to the
 * text and never backtracks.
 */
import { RE2JS } from "re2js";
import { CouchError } from "../../../protocol/errors.js";
import { erlangTerm } from "./erlang-term.js";

export interface Regex {
  /** Instructions of the compiled pattern: the steps that one character takes at worst, of about 5 ns each. */
  readonly size: number;
  /** Whether it matches anywhere in the text. */
  readonly test: (text: string) => boolean;
}

const largest = 10_000;
/** What CouchDB's engine knows and this one does not: look-around, back references, atomic groups, some escapes. */
const unsupported =
  /(?:unsupported Perl syntax|invalid escape sequence|invalid nested repetition operator|invalid named capture): (`.*`)/s;

/** @throws CouchError bad_arg, not_supported */
export function compileRegex(pattern: string): Regex {
  const regex = compile(pattern);
  const size = regex.programSize();
  if (size > largest) throw new CouchError("not_supported", "The regular expression is too large.");
  return { size, test: (text) => regex.test(text) };
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
