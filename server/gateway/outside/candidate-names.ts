/** What somebody from outside might be called here. */
import { randomBytes } from "node:crypto";
import { parseUserName, type UserName } from "../../../protocol/ids.js";

const maxLength = 64;
const numbered = 9;

/** Plain names only: look-alikes of another user's name come from other alphabets. @param round later ones are random */
export function* candidateNames(
  { nameHint, provider }: { readonly nameHint?: string | undefined; readonly provider: string },
  round: number,
): Generator<UserName> {
  const base = plain(nameHint ?? "") || plain(provider) || "user";
  if (round === 0) {
    yield parseUserName(base);
    for (let number = 2; number <= numbered; number++) yield parseUserName(`${base}-${number}`);
  }
  for (let count = 0; count < 3; count++) yield parseUserName(`${base}-${randomBytes(4).toString("hex")}`);
}

/** Of an address the part before the @. */
function plain(text: string): string {
  const [local = ""] = text.split("@", 1);
  const lower = local.normalize("NFKD").toLowerCase();
  return lower
    .replace(/[^a-z0-9._-]+/g, "")
    .replace(/^[._-]+/, "")
    .slice(0, maxLength);
}
