/** Settings of shared databases and of what users may keep. */
import { z } from "zod";
import { wholeNumber } from "./values.js";

const template = z
  .string("must be a list of names")
  .regex(/^[a-z][a-z0-9-]{0,63}$/, "must be names of folders in design-docs");

export const sharingSettings = z.strictObject({
  /** Those that users may make databases from. Absent: all but `user`. */
  templates: z.array(template).optional(),
  /** For which an invitation holds that does not say. */
  invitationDays: wholeNumber(1, 366).default(7),
  /** In which a deleted database can be had back. 0: it is gone at once. */
  trashDays: wholeNumber(0, 3660).default(14),
});

/** null: no limit. */
const limit = wholeNumber(0, 2 ** 52).nullable();

export const quotaSettings = z.strictObject({
  documents: limit.default(null),
  /** Of documents and attachments. */
  bytes: limit.default(null),
  databases: limit.default(100),
  /** Role to limits of its own; of several roles the most generous counts. */
  byRole: z
    .record(
      z.string(),
      z.strictObject({ documents: limit.optional(), bytes: limit.optional(), databases: limit.optional() }),
    )
    .default({}),
});
