/** What is Settee's own, on one page. Everything below `/_settee/`, each row with its schema: the OpenAPI document is made of it. */
import type { PathRoutes, Route } from "../route.js";
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
import { health } from "./health.js";
import { getIdentities, linkIdentity, unlinkIdentity } from "./identities.js";
import { getJwks, rotateKeys } from "./keys.js";
import { getMe, getMyChanges } from "./me.js";
import { getProviders, oidcCallback, startOidc } from "./oidc.js";
import { openApi } from "./openapi-route.js";
import { beginRollouts, listRollouts, pauseRollout, readRollout, resumeRollout, rollBack } from "./rollouts.js";
import { deleteSession, endSessions, getSessions } from "./sessions.js";
import { postSignup } from "./signup.js";
import { postToken, postTokenRevoke } from "./token.js";
import { listTrash, restoreDatabase } from "./trash.js";

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

  row("signup", { POST: postSignup }),
  row("token", { POST: postToken }),
  row("token/revoke", { POST: postTokenRevoke }),
];
