/** `GET /_settee/dev/mail`: mails of an app under development, which go nowhere. */
import { isIP } from "node:net";
import { z } from "zod";
import { CouchError } from "../../../protocol/errors.js";
import type { Call } from "../call.js";
import { endpoint } from "./endpoint.js";

const developmentMail = z.strictObject({
  time: z.string(),
  from: z.string(),
  to: z.string(),
  subject: z.string(),
  text: z.string(),
  html: z.string(),
});

export const getDevelopmentMails = endpoint(
  {
    summary: "The latest mails, where none are sent: on the machine of the server itself, and nowhere else.",
    need: "public",
    reply: z.strictObject({ mails: z.array(developmentMail) }),
    errors: ["not_found"],
  },
  (call) => {
    const mails = call.services.gateway.people.developmentMails;
    if (!mails || !isOfThisMachine(call)) throw new CouchError("not_found", "missing");
    return { answer: { mails: [...mails] }, headers: { "Cache-Control": "no-store" } };
  },
);

const forwarded = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"];

/**
 * From a loopback address, under a name of the loopback (another one was made to point here by somebody else's page), and
 * not through a proxy, for which every visitor of the site is on this machine.
 */
function isOfThisMachine({ address, headers }: Call): boolean {
  if (!isLoopback(address) || forwarded.some((name) => headers[name] !== undefined)) return false;
  const host = (headers.host ?? "").replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1");
  return host === "localhost" || isLoopback(host);
}

function isLoopback(address: string): boolean {
  const plain = address.replace(/^::ffff:/, "");
  return plain === "::1" || (isIP(plain) === 4 && plain.startsWith("127."));
}
