/** CouchDB quotes what it refuses as Erlang prints it: texts as the numbers of their bytes, `<<97,98>>`. */

/** Characters; a large argument would come back several times its size. */
const longest = 1000;

/** A JSON value as Erlang's `~w` prints it; a long one is cut off. */
export function erlangTerm(value: unknown): string {
  const text = print(value, longest);
  return text.length > longest ? `${text.slice(0, longest)}...` : text;
}

/** `room`: characters that are still wanted, give or take. What has none left is not printed. */
function print(value: unknown, room: number): string {
  if (room <= 0) return "...";
  if (typeof value === "string") return `<<${Buffer.from(value.slice(0, room)).join(",")}>>`;
  if (Array.isArray(value)) return `[${printAll(value, room, print)}]`;
  if (typeof value === "object" && value !== null) {
    const member = ([name, of]: [string, unknown], left: number) =>
      `{${print(name, left)},${print(of, left - name.length)}}`;
    return `{[${printAll(Object.entries(value), room, member)}]}`;
  }
  return String(value);
}

function printAll<T>(values: readonly T[], room: number, one: (value: T, room: number) => string): string {
  let text = "";
  for (const value of values) {
    if (text.length >= room) return `${text},...`;
    text += (text === "" ? "" : ",") + one(value, room - text.length - 1);
  }
  return text;
}
