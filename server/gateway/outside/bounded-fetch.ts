/** Requests to issuers that the operator has named: no redirects, little time, little memory. */

/** Milliseconds. */
const patience = 5_000;
/** Key sets and discovery documents are a few kilobytes. */
const maxBytes = 512 * 1024;

/** As `fetch`. Rejects for a redirect, an answer that is too long, and one that takes too long. */
export async function boundedFetch(url: string | URL, init: RequestInit = {}): Promise<Response> {
  const timeout = AbortSignal.timeout(patience);
  const signal = init.signal ? AbortSignal.any([init.signal, timeout]) : timeout;
  // Whoever answers could otherwise send us to our own neighbours.
  const response = await fetch(url, { ...init, redirect: "error", signal });
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > maxBytes) throw new Error(`${new URL(url).host} answered with more than ${maxBytes} bytes.`);
    chunks.push(chunk);
  }
  const { status, statusText, headers } = response;
  const isEmpty = status === 204 || status === 304;
  return new Response(isEmpty ? null : Buffer.concat(chunks), { status, statusText, headers });
}
