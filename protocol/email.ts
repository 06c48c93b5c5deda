/** E-mail addresses, as clients write them and as they are compared. */
import { z } from "zod";

const maxLength = 254;

export const emailAddress = z.email("This is not an e-mail address.").max(maxLength, "The e-mail address is too long.");

/** Equal texts for addresses that reach the same mailbox, as far as anybody but its own server can tell. */
export function normalEmail(address: string): string {
  return address.trim().normalize("NFC").toLowerCase();
}
