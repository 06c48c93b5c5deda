/**
 * Whether a map function is so plain that it cannot change the document that it gets. CouchDB freezes every document before its
 * functions see it, which here takes a third of the time of an index update; for functions that assign to nothing but names of
 * their own, and call nothing that changes what it is called on, nobody can tell the difference.
 *
 * It looks at the text and knows no syntax: what it is not sure of (comments, escapes, modules, a `++` on a member) counts as a
 * change. It protects functions of one design document from each other's slips, nobody from anybody.
 */
export function changesNothing(source: string): boolean {
  if (unclear.test(source) || changing.test(source)) return false;
  const rest = source.replace(comparison, " ").replace(ownLoop, " ").replace(ownAssignment, " ").replace(ownStep, " ");
  return !assignment.test(rest);
}

/** Beyond ASCII, escapes, comments, and calls of what is not named: `doc[method]()`. */
const unclear = /[^\t\r\n -~]|\\|\/[*/]|[\])]\s*(?:\?\.\s*)?\(/;
const changing =
  /\b(?:delete|with|eval|Function|constructor|require|import|Reflect|apply|call|bind|push|pop|shift|unshift|splice|sort|reverse|fill|copyWithin|set\w*|define\w*|assign|freeze|seal|prevent\w*|is(?:Frozen|Sealed|Extensible)|__\w+)\b|(?:<<|>>)=/;
const comparison = /[=!]==?|[<>]=|=>/g;
const ownLoop = /\b(?:var|let|const)\s+[\w$]+\s+(?:of|in)\b/g;
/** Of a name that is no member: `count = `, `count += `, `count++`. */
const ownAssignment = /(?<!\.\s*|[\w$])[A-Za-z_$][\w$]*\s*(?:[-+*/%]?=|\+\+|--)/g;
const ownStep = /(?:\+\+|--)\s*[A-Za-z_$][\w$]*(?!\s*[.[(\w$])/g;
const assignment = /=|\+\+|--|\b(?:of|in)\b/;
