/** `/_settee/oidc` and `/_settee/identities`: logging in by means of somebody else. */
import { z } from "zod";
import { fields } from "./fields.js";

export const providerList = z.strictObject({
  providers: z.array(
    z.strictObject({
      name: z.string(),
      /** For people. */
      label: z.string(),
      /** Path to send the browser to, with `redirect_to` and, for a code, `code_challenge`. */
      start: z.string(),
    }),
  ),
});

export const identityEntry = z.strictObject({
  id: z.string(),
  provider: z.string(),
  issuer: z.string(),
  email: z.string().optional(),
  linked_at: z.iso.datetime(),
});
export type IdentityEntry = z.output<typeof identityEntry>;

export const identityList = z.strictObject({ identities: z.array(identityEntry) });

export const linkRequest = fields({
  code: z.string("The code of the way back is required.").max(200),
  code_verifier: z.string("The verifier is required whose challenge was sent.").max(200),
});
