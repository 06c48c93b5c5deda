/** The headers of a request that functions of design documents, a stranger's code, may see. */

/**
 * Words in the names of headers whose values prove something: a client's own (`Authorization`, `Cookie`, `X-Auth-CouchDB-Token`) and
 * those that proxies add, which are for the server and for nobody else (`X-Amzn-Oidc-Data`, `Cf-Access-Jwt-Assertion`).
 */
const secretWords = new Set(
  (
    "auth authentication authorization cookie cookie2 token secret password passwd credential credentials session jwt oidc " +
    "assertion signature apikey csrf xsrf principal identity"
  ).split(" "),
);
const secretNames = /(api|access|private|secret)[-_]?key|client[-_]?cert/;

/** By the names that CouchDB gives them: `X-Mine`, however the client spelled it. `raw`: names and values in turn. */
export function shownHeaders(raw: readonly string[]): Record<string, string> {
  const shown: Record<string, string> = {};
  for (let index = 0; index < raw.length; index += 2) {
    const name = (raw[index] as string).toLowerCase();
    if (isSecret(name)) continue;
    const spelled = name.replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase());
    const value = raw[index + 1] as string;
    shown[spelled] = Object.hasOwn(shown, spelled) ? `${shown[spelled]}, ${value}` : value;
  }
  return shown;
}

function isSecret(name: string): boolean {
  return secretNames.test(name) || name.split(/[-_]/).some((word) => secretWords.has(word));
}
