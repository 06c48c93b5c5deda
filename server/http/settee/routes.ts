/** What is Settee's own, on one page. Everything below `/_settee/`, each row with its schema: the OpenAPI document is made of it. */
import type { PathRoutes, Route } from "../route.js";
import { getAccount, getActivity, postDeleteAccount, putAccount } from "./account.js";
import { getAccountExport } from "./account-export.js";
import {
  acceptInvitation,
  declineInvitation,
  deleteDatabaseInvitation,
  inviteToDatabase,
  listDatabaseInvitations,
  listMyInvitations,
} from "./database-invitations.js";
import {
  createSharedDatabase,
  deleteSharedDatabase,
  describeSharedDatabase,
  putMember,
  putPublic,
  putTitle,
  removeMember,
  transferDatabase,
} from "./databases.js";
import { getDevelopmentMails } from "./dev-mail.js";
import { postChangeEmail, postResendVerification, postSendVerification, postVerifyEmail } from "./email.js";
import { health } from "./health.js";
import { getIdentities, linkIdentity, unlinkIdentity } from "./identities.js";
import { getJwks, rotateKeys } from "./keys.js";
import { postMagicLink, postMagicLinkSession, postMagicLinkToken } from "./magic-link.js";
import { getMe, getMyChanges } from "./me.js";
import { getProviders, oidcCallback, startOidc } from "./oidc.js";
import { openApi } from "./openapi-route.js";
import { getLinkPage, postLinkPage } from "./pages.js";
import { postChangePassword, postForgotPassword, postResetPassword } from "./password.js";
import { beginRollouts, listRollouts, pauseRollout, readRollout, resumeRollout, rollBack } from "./rollouts.js";
import { deleteSession, endSessions, getSessions } from "./sessions.js";
import { postAnonymous, postClaim, postSignup } from "./signup.js";
import { deleteInvitation, listInvitations, postInvitation } from "./signup-invitations.js";
import { postToken, postTokenRevoke } from "./token.js";
import { postRecoveryCodes, postTotpDisable, postTotpEnable, postTotpSetup } from "./totp.js";
import { listTrash, restoreDatabase } from "./trash.js";
import { deleteUser, getUser, getUserActivity, listUsers, postUser, postUserPassword, putUser } from "./users.js";

const row = (path: string, methods: Readonly<Record<string, Route>>): PathRoutes => {
  const allowed = Object.keys(methods).flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method]));
  return { path: `/_settee/${path}`, allow: allowed.join(","), methods };
};

export const setteeRoutes: readonly PathRoutes[] = [
  row("health", { GET: health }),
  row("openapi.json", { GET: { need: "public", handler: openApi(() => setteeRoutes) } }),
  row("rollouts", { GET: listRollouts, POST: beginRollouts }),
  row("rollouts/:id", { GET: readRollout }),
  row("rollouts/:id/pause", { POST: pauseRollout }),
  row("rollouts/:id/resume", { POST: resumeRollout }),
  row("rollouts/:id/rollback", { POST: rollBack }),
  row("identities", { GET: getIdentities, POST: linkIdentity }),
  row("identities/:identity", { DELETE: unlinkIdentity }),
  row("oidc", { GET: getProviders }),
  row("oidc/:provider/start", { GET: startOidc }),
  row("oidc/:provider/callback", { GET: oidcCallback }),
  row("jwks.json", { GET: getJwks }),
  row("keys/rotate", { POST: rotateKeys }),
  row("sessions", { GET: getSessions }),
  row("sessions/end", { POST: endSessions }),
  row("sessions/:session", { DELETE: deleteSession }),

  // Databases of users
  row("me", { GET: getMe }),
  row("me/changes", { GET: getMyChanges }),
  row("databases", { POST: createSharedDatabase }),
  row("databases/:name", { GET: describeSharedDatabase, PUT: putTitle, DELETE: deleteSharedDatabase }),
  row("databases/:name/members/:user", { PUT: putMember, DELETE: removeMember }),
  row("databases/:name/transfer", { POST: transferDatabase }),
  row("databases/:name/public", { PUT: putPublic }),
  row("databases/:name/invitations", { GET: listDatabaseInvitations, POST: inviteToDatabase }),
  row("databases/:name/invitations/:id", { DELETE: deleteDatabaseInvitation }),
  row("invitations", { GET: listMyInvitations }),
  row("invitations/accept", { POST: acceptInvitation }),
  row("invitations/decline", { POST: declineInvitation }),
  row("trash", { GET: listTrash }),
  row("trash/:name/restore", { POST: restoreDatabase }),

  // Accounts
  row("signup", { POST: postSignup }),
  row("signup/invitations", { GET: listInvitations, POST: postInvitation }),
  row("signup/invitations/:id", { DELETE: deleteInvitation }),
  row("anonymous", { POST: postAnonymous }),
  row("claim", { POST: postClaim }),
  row("account", { GET: getAccount, PUT: putAccount }),
  row("account/activity", { GET: getActivity }),
  row("account/export", { GET: getAccountExport }),
  row("account/delete", { POST: postDeleteAccount }),
  row("email/verify", { POST: postVerifyEmail }),
  row("email/verify/send", { POST: postSendVerification }),
  row("email/verify/resend", { POST: postResendVerification }),
  row("email/change", { POST: postChangeEmail }),
  row("magic-link", { POST: postMagicLink }),
  row("magic-link/session", { POST: postMagicLinkSession }),
  row("magic-link/token", { POST: postMagicLinkToken }),
  row("password/change", { POST: postChangePassword }),
  row("password/forgot", { POST: postForgotPassword }),
  row("password/reset", { POST: postResetPassword }),
  row("totp/setup", { POST: postTotpSetup }),
  row("totp/enable", { POST: postTotpEnable }),
  row("totp/disable", { POST: postTotpDisable }),
  row("totp/recovery-codes", { POST: postRecoveryCodes }),
  row("pages/:kind", { GET: getLinkPage, POST: postLinkPage }),
  row("users", { GET: listUsers, POST: postUser }),
  row("users/:name", { GET: getUser, PUT: putUser, DELETE: deleteUser }),
  row("users/:name/activity", { GET: getUserActivity }),
  row("users/:name/password", { POST: postUserPassword }),
  row("dev/mail", { GET: getDevelopmentMails }),

  // Tokens
  row("token", { POST: postToken }),
  row("token/revoke", { POST: postTokenRevoke }),
];
