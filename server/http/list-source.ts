/**
 * The answer of a view or of `_all_docs`, taken apart for a list function: its head, and its rows. In such an answer each row is a
 * line by itself, as it is in CouchDB's, and JSON texts have no line feed in them: nothing has to be parsed for it.
 */

export interface ListSource {
  /** JSON text of what stands before the rows: `{"total_rows": 1, "offset": 0}`, or `{}` of a reduction. */
  readonly head: string;
  /** JSON texts, a line feed behind each, some at a time. To be read to the end or returned, begun or not: it holds the answer open. */
  readonly rows: AsyncIterable<string>;
}

/** Resolves when the head is there. @throws what the answer fails with before */
export async function openListSource(answer: AsyncGenerator<Buffer>): Promise<ListSource> {
  const texts = decoded(answer);
  try {
    let start = "";
    let end = -1;
    while (end < 0) {
      const { done, value } = await texts.next();
      if (done) throw new Error("The answer ended before its rows.");
      start += value;
      end = start.indexOf("\n");
    }
    const rows = rowsOf(start.slice(end + 1), texts);
    // A generator that was not begun would not pass `return` on.
    const iterator = { next: () => rows.next(), return: () => texts.return("") };
    return { head: headIn(start.slice(0, end)), rows: { [Symbol.asyncIterator]: () => iterator } };
  } catch (error) {
    await texts.return("");
    throw error;
  }
}

/** The first line: `{"total_rows":1,"offset":0,"rows":[`. */
function headIn(line: string): string {
  const { rows: _, ...head } = JSON.parse(`${line}]}`) as Record<string, unknown>;
  return JSON.stringify(head);
}

async function* rowsOf(first: string, texts: AsyncGenerator<string>): AsyncGenerator<string> {
  let rest = first;
  for (;;) {
    // What stands behind the last line feed is not known to be whole yet, and at the end it is the end of the list.
    const end = rest.lastIndexOf("\n") + 1;
    const lines = rest.slice(0, end);
    // A list of nothing may have an empty line in it.
    if (lines.length > 1) yield lines.replaceAll(",\n", "\n");
    const { done, value } = await texts.next();
    if (done) return;
    rest = rest.slice(end) + value;
  }
}

async function* decoded(answer: AsyncGenerator<Buffer>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  for await (const chunk of answer) yield decoder.decode(chunk, { stream: true });
}
