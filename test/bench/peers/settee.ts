import { adminAuthorization, adminName, adminPassword, startSettee } from "../../helpers/settee-process.js";
import { localPeer } from "./local-process.js";
import type { PeerKind } from "./peer.js";

export const settee: PeerKind = {
  id: "settee",
  label: "Settee",
  note: "every acknowledged write is synced to disk; HTTP Basic on every request, checked against `_security`",
  async start() {
    // The costs of a password as an operator has them: a server that checked it on every request would show here.
    const server = await startSettee({ settings: { SETTEE_PASSWORD_ITERATIONS: "600000" }, startTimeout: 120_000 });
    return localPeer(server, {
      authorization: adminAuthorization,
      auth: { username: adminName, password: adminPassword },
    });
  },
};
