/** Where a browser may be sent back to: the app's own URLs, which the operator lists, and nowhere else. */

/**
 * The URL to send the browser to, or undefined when `wanted` is on no listed URL. A listed one that ends with a slash stands
 * for all paths below it; any query may follow. @param wanted absent: the first of the list
 */
export function allowedRedirect(wanted: string | undefined, listed: readonly string[]): URL | undefined {
  const [first] = listed;
  if (wanted === undefined) return first === undefined ? undefined : new URL(first);
  // The parser would make another URL of these than the eye does.
  if (!/^[\x21-\x7e]+$/.test(wanted) || wanted.includes("\\") || !URL.canParse(wanted)) return undefined;
  const url = new URL(wanted);
  if (url.username !== "" || url.password !== "" || url.hash !== "") return undefined;
  return listed.some((entry) => covers(new URL(entry), url)) ? url : undefined;
}

function covers(listed: URL, url: URL): boolean {
  if (listed.protocol !== url.protocol || listed.host !== url.host) return false;
  return listed.pathname.endsWith("/") ? url.pathname.startsWith(listed.pathname) : url.pathname === listed.pathname;
}

/** Schemes that run a script, or read a file, in the browser. */
const forbidden = new Set(["javascript:", "data:", "file:", "blob:", "vbscript:", "about:", "ws:", "wss:", "ftp:"]);

/** Whether an operator may list it. Apps on devices have schemes of their own (`org.example.app:/callback`). */
export function canBeListed(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password, search, hash } = new URL(text);
  return !forbidden.has(protocol) && [username, password, search, hash].every((part) => part === "");
}
