/** CouchDB quotes what it refuses as Erlang prints it. */

/** Characters; a large argument would come back several times its size. */
const longest = 1000;

/** A JSON value as Erlang's `~w` prints it, texts as the numbers of their bytes: `<<97,98>>`. A long one is cut off. */
export function erlangTerm(value: unknown): string {
  return cut(print(value, longest, (text) => `<<${Buffer.from(text).join(",")}>>`));
}

/** As Erlang's `~p` prints it, texts to be read: `<<"ab">>`. */
export function readableErlangTerm(value: unknown): string {
  return cut(print(value, longest, (text) => (text === "" ? "<<>>" : `<<${JSON.stringify(text)}>>`)));
}

type PrintText = (text: string) => string;

/** `room`: characters that are still wanted, give or take. What has none left is not printed. */
function print(value: unknown, room: number, text: PrintText): string {
  if (room <= 0) return "...";
  if (typeof value === "string") return text(value.slice(0, room));
  if (Array.isArray(value)) return `[${printAll(value, room, (item, left) => print(item, left, text))}]`;
  if (typeof value === "object" && value !== null) {
    const member = ([name, of]: [string, unknown], left: number) =>
      `{${print(name, left, text)},${print(of, left - name.length, text)}}`;
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

function cut(text: string): string {
  return text.length > longest ? `${text.slice(0, longest)}...` : text;
}
