/**
 * The text of the first `level` elements of an array key; any other key is its own group. The text is cut, not printed anew, so that
 * `1.0` stays what it is. Canonical JSON text, without white space.
 */
export function groupKey(key: string, level: number): string {
  if (!key.startsWith("[") || level === Number.POSITIVE_INFINITY) return key;
  let depth = 0;
  let elements = 0;
  for (let i = 0; i < key.length; i++) {
    switch (key[i]) {
      case '"':
        i = endOfString(key, i);
        break;
      case "[":
      case "{":
        depth++;
        break;
      case "]":
      case "}":
        depth--;
        break;
      case ",":
        if (depth === 1 && ++elements === level) return `${key.slice(0, i)}]`;
    }
  }
  return key;
}

/** Where the string that begins here ends. */
function endOfString(text: string, from: number): number {
  let i = from + 1;
  while (text[i] !== '"') i += text[i] === "\\" ? 2 : 1;
  return i;
}
