/** `/_settee/totp/...`: a second factor for the caller's account. */
import { enableTotpRequest, proofRequest, recoveryCodes, totpSetup } from "../../../protocol/account.js";
import { askerOf, ownName } from "./asker.js";
import { endpoint, ok } from "./endpoint.js";

const noStore = { "Cache-Control": "no-store" };

export const postTotpSetup = endpoint(
  {
    summary: "A new secret for an authenticator app; nothing changes until a code of it is sent to `enable`.",
    need: "user",
    body: proofRequest,
    reply: totpSetup,
    errors: ["forbidden", "not_found", "conflict"],
  },
  async (call, { password }) => {
    const { people } = call.services.gateway;
    const name = await ownName(call);
    await people.passwords.prove(name, password, askerOf(call));
    return { answer: await people.secondFactors.setUp(name), headers: noStore };
  },
);

export const postTotpEnable = endpoint(
  {
    summary: "Demands one-time codes at log-in from now on. The recovery codes in the answer are not shown again.",
    need: "user",
    body: enableTotpRequest,
    reply: recoveryCodes,
    errors: ["forbidden", "not_found", "conflict"],
  },
  async (call, { totp }) => {
    const { secondFactors } = call.services.gateway.people;
    const codes = await secondFactors.enable(await ownName(call), totp, askerOf(call));
    return { answer: { recovery_codes: [...codes] }, headers: noStore };
  },
);

export const postTotpDisable = endpoint(
  {
    summary: "Demands no one-time codes any more.",
    need: "user",
    body: proofRequest,
    reply: ok,
    errors: ["forbidden", "not_found"],
  },
  async (call, { password, totp }) => {
    const { people } = call.services.gateway;
    const name = await ownName(call);
    await people.prove(name, password, totp, askerOf(call));
    await people.secondFactors.disable(name, askerOf(call));
    return { answer: { ok: true as const } };
  },
);

export const postRecoveryCodes = endpoint(
  {
    summary: "New recovery codes; those before are worth nothing.",
    need: "user",
    body: proofRequest,
    reply: recoveryCodes,
    errors: ["forbidden", "not_found", "conflict"],
  },
  async (call, { password, totp }) => {
    const { people } = call.services.gateway;
    const name = await ownName(call);
    await people.prove(name, password, totp, askerOf(call));
    return { answer: { recovery_codes: [...(await people.secondFactors.renewRecoveryCodes(name))] }, headers: noStore };
  },
);
