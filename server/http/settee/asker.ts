/** Who asks, for what is done and written in their name: where from, and in which language they read mail. */
import type { UserName } from "../../../protocol/ids.js";
import type { Asker } from "../../gateway/accounts/sign-ups.js";
import type { Origin } from "../../gateway/sessions/log-ins.js";
import type { Call } from "../call.js";

export function askerOf({ address, headers }: Pick<Call, "address" | "headers">): Asker {
  return { address, locale: preferredLanguage(headers["accept-language"]) };
}

/** Where a session begins. */
export function originOf({ address, overTls, headers }: Call): Origin {
  return { address, overTls, agent: headers["user-agent"] };
}

/** Of the caller's own account. @throws CouchError not_found for who has none */
export function ownName({ services, identity }: Call): Promise<UserName> {
  return services.gateway.people.own.nameOf(identity);
}

const maxHeader = 1000;
const languageTag = /^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,4}$/;

/** The first of an `Accept-Language` header; undefined where it has none that could be one. */
export function preferredLanguage(header: string | undefined): string | undefined {
  if (header === undefined || header.length > maxHeader) return undefined;
  const wishes = header.split(",").map((part, index) => {
    const [tag = "", ...parameters] = part.split(";").map((text) => text.trim());
    const quality = parameters.find((parameter) => parameter.startsWith("q="))?.slice(2);
    return { tag, index, quality: quality === undefined ? 1 : Number(quality) };
  });
  const good = wishes.filter(({ tag, quality }) => languageTag.test(tag) && quality > 0);
  return good.sort((a, b) => b.quality - a.quality || a.index - b.index)[0]?.tag;
}
