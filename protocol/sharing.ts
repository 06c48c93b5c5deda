/** `/_settee/databases`, invitations to them, `/_settee/me` and `/_settee/trash`: what they take and what they answer. */
import { z } from "zod";
import { userName } from "./account.js";
import { emailAddress } from "./email.js";
import { fields } from "./fields.js";

/** `reader`: reads, and keeps replication's checkpoints. `writer`: writes documents. `owner`: says who is a member as well. */
export const databaseRoles = ["reader", "writer", "owner"] as const;
export type DatabaseRole = (typeof databaseRoles)[number];

export const databaseRole = z.enum(databaseRoles, "A role is reader, writer or owner.");
const title = z
  .string("A title is a text.")
  .trim()
  .min(1, "A title is not empty.")
  .max(200, "A title has at most 200 characters.")
  .refine((text) => !/\p{Cc}/u.test(text), "A title is a single line.");
const template = z
  .string("The name of a template is required.")
  .regex(/^[a-z][a-z0-9-]{0,63}$/, "There is no such template.");

export const newDatabaseRequest = fields({
  template,
  title: title.optional(),
  kind: z.enum(["shared", "private"], "A database is shared or private.").default("shared"),
});
export type NewDatabaseRequest = z.output<typeof newDatabaseRequest>;

export const memberRequest = fields({ role: databaseRole });
export const transferRequest = fields({ to: userName });
export const publicRequest = fields({ read: z.boolean("This is true or false.") });
export const titleRequest = fields({ title });

const time = z.iso.datetime();

/** What a member of a database is told of it. `members` of a database that is not shared is its owner alone. */
export const databaseDescription = z.strictObject({
  name: z.string(),
  kind: z.enum(["own", "private", "shared"]),
  template: z.string(),
  title: z.string().optional(),
  /** Whose quota it counts for. */
  owner: z.string(),
  /** The caller's. */
  role: databaseRole,
  members: z.record(z.string(), databaseRole),
  public_read: z.boolean(),
  created_at: time,
});
export type DatabaseDescription = z.output<typeof databaseDescription>;

/** `expires_in` is in seconds. */
export const invitationRequest = fields({
  role: databaseRole,
  name: userName.optional(),
  email: emailAddress.optional(),
  link: z.literal(true, "This is true, or left out.").optional(),
  expires_in: z
    .int("This is a whole number of seconds.")
    .min(60, "An invitation holds for a minute at least.")
    .max(366 * 86_400, "An invitation holds for a year at most.")
    .optional(),
  uses: z
    .int("This is a whole number.")
    .min(1, "This is at least 1.")
    .max(1000, "A link may be used a thousand times at most.")
    .optional(),
}).refine(
  ({ name, email, link }) => [name, email, link].filter((each) => each !== undefined).length === 1,
  "One of name, email and link is needed.",
);
export type InvitationRequest = z.output<typeof invitationRequest>;

export const invitation = z.strictObject({
  id: z.string(),
  database: z.string(),
  title: z.string().optional(),
  role: databaseRole,
  /** Whom it is for; none of both: whoever has the link. */
  name: z.string().optional(),
  email: z.string().optional(),
  invited_by: z.string(),
  created_at: time,
  expires_at: time,
  uses: z.int(),
  /** Names, for owners only. */
  accepted_by: z.array(z.string()).optional(),
  declined: z.boolean().optional(),
});
export type Invitation = z.output<typeof invitation>;

/** The token is shown once, to whoever made the invitation, and only when it is a link. */
export const newInvitation = invitation.extend({ token: z.string().optional() });
export type NewInvitation = z.output<typeof newInvitation>;

export const invitationId = z
  .string("The id of an invitation is required.")
  .regex(/^[a-z2-7]{20}-[a-z2-7]{16}$/, "There is no such id.");
const invitationToken = z
  .string("The token of an invitation is required.")
  .regex(/^[a-z2-7]{20}-[a-z2-7]{16}-[a-z2-7]{32}$/, "There is no such token.");

export const acceptRequest = fields({ id: invitationId.optional(), token: invitationToken.optional() }).refine(
  ({ id, token }) => (id === undefined) !== (token === undefined),
  "Either id or token is needed.",
);
export const declineRequest = fields({ id: invitationId });

/** A database of the caller's in `GET /_settee/me`; sizes in bytes. */
const myDatabase = z.strictObject({
  name: z.string(),
  kind: z.enum(["own", "private", "shared"]),
  template: z.string(),
  title: z.string().optional(),
  owner: z.string(),
  role: databaseRole,
  public_read: z.boolean(),
  documents: z.int(),
  /** Of documents and attachments as readers get them. */
  size: z.int(),
  update_seq: z.string(),
  /** When something was written last, to a minute; null where that is not known. */
  last_change: time.nullable(),
});
export type MyDatabase = z.output<typeof myDatabase>;

const limit = z.int().nullable();
const quota = z.strictObject({ used: z.int(), limit });
export const quotaUse = z.strictObject({ databases: quota, documents: quota, bytes: quota });
export type QuotaUse = z.output<typeof quotaUse>;

export const me = z.strictObject({
  name: z.string(),
  roles: z.array(z.string()),
  display_name: z.string().optional(),
  /** One that was verified. */
  email: z.string().optional(),
  databases: z.array(myDatabase),
  quota: quotaUse,
});
export type Me = z.output<typeof me>;

/** A database that waits to be deleted for good. */
const trashed = z.strictObject({
  name: z.string(),
  kind: z.enum(["own", "private", "shared"]),
  template: z.string(),
  title: z.string().optional(),
  owner: z.string(),
  /** Why: its owner's account was deleted, or the database alone. */
  because: z.enum(["account", "database"]),
  deleted_at: time,
  erased_at: time,
});
export type TrashedDatabase = z.output<typeof trashed>;
export const trash = z.strictObject({ databases: z.array(trashed) });
