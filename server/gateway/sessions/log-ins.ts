/** Logging in and out with a cookie, and what a user sees and ends of their sessions. */
import { CouchError } from "../../../protocol/errors.js";
import type { DocId, UserName } from "../../../protocol/ids.js";
import type { Identity } from "../../../protocol/security.js";
import type { EndSessionsReply, SessionEntry } from "../../../protocol/session.js";
import type { PasswordCheck } from "../password-check.js";
import { identityOf, type Principal, type Principals } from "../principals.js";
import type { Provisioning } from "../provisioning.js";
import { parseLogIn } from "../session-info.js";
import type { SessionCookies } from "./session-cookies.js";
import { type Device, documentIdOf, publicIdOf, sessionIdForm } from "./session-record.js";
import type { EndedSessions, Sessions } from "./sessions.js";
import type { Standing } from "./standings.js";

export interface LogInsParts {
  readonly principals: Principals;
  readonly passwordCheck: PasswordCheck;
  readonly provisioning: Provisioning;
  readonly cookies: SessionCookies;
  readonly sessions: Sessions;
  /** Refuses who lacks a second factor that the account has. @throws CouchError unauthorized, forbidden */
  readonly checkSecondFactor: (principal: Principal, code: string | undefined, address: string) => Promise<void>;
  /** Told of each log-in with a password. */
  readonly loggedIn: (principal: Principal, address: string) => Promise<void>;
}

/** Where a request that carries a password came from. */
export interface Origin {
  readonly address: string;
  readonly overTls?: boolean;
  /** `User-Agent`, for the list of sessions. */
  readonly agent?: string | undefined;
}

export interface LoggedIn {
  readonly identity: Identity;
  readonly setCookie: string;
}

/** Who asks about sessions, and by which of them. */
export interface Caller {
  readonly name: UserName;
  readonly standing?: Standing | undefined;
}

export class LogIns {
  readonly #parts: LogInsParts;

  constructor(parts: LogInsParts) {
    this.#parts = parts;
  }

  /** `POST /_session`. @throws CouchError bad_request, unauthorized with a `Set-Cookie` header, forbidden */
  async logIn(body: unknown, { address, overTls = false, agent }: Origin): Promise<LoggedIn> {
    const { name, password, totp, device } = parseLogIn(body);
    const { passwordCheck, checkSecondFactor, loggedIn } = this.#parts;
    try {
      const principal = await passwordCheck.authenticate({ name, password, address });
      await checkSecondFactor(principal, totp, address);
      const begun = await this.begin(principal, { name: device, agent }, overTls);
      await loggedIn(principal, address);
      return begun;
    } catch (error) {
      if (!(error instanceof CouchError) || error.error !== "unauthorized") throw error;
      // As in CouchDB: who fails to log in is not left with the session of before.
      const setCookie = this.#parts.cookies.clear(overTls);
      const headers = { "Set-Cookie": setCookie };
      throw new CouchError("unauthorized", error.reason, { headers, ...(error.detail && { detail: error.detail }) });
    }
  }

  /** A cookie for somebody who has proved who they are. */
  async begin(principal: Principal, device: Device, overTls: boolean): Promise<LoggedIn> {
    await this.#parts.provisioning.finish(principal.name);
    const setCookie = await this.#parts.sessions.beginWithCookie(principal, device, overTls);
    return { identity: identityOf(principal, "cookie"), setCookie };
  }

  /** `DELETE /_session`: ends the caller's session, if any. @returns the `Set-Cookie` header */
  async logOut(standing: Standing | undefined, overTls = false): Promise<string> {
    if (standing?.session) await this.#parts.sessions.end(standing.name, standing.session as DocId, "logged out");
    return this.#parts.cookies.clear(overTls);
  }

  async list({ name, standing }: Caller): Promise<readonly SessionEntry[]> {
    const principal = await this.#parts.principals.find(name);
    const sessions = principal ? await this.#parts.sessions.list(principal) : [];
    return sessions.map((session) => ({
      id: publicIdOf(session),
      kind: session.kind,
      ...(session.device === undefined ? {} : { device: session.device }),
      ...(session.agent === undefined ? {} : { user_agent: session.agent }),
      created_at: new Date(session.createdAt).toISOString(),
      last_used_at: new Date(session.usedAt).toISOString(),
      expires_at: new Date(session.expiresAt).toISOString(),
      current: session._id === standing?.session,
    }));
  }

  /** @param id as in the list. @throws CouchError not_found */
  async end({ name }: Caller, id: string): Promise<void> {
    const isThere = sessionIdForm.test(id) && (await this.#parts.sessions.end(name, documentIdOf(id), "logged out"));
    if (!isThere) throw new CouchError("not_found", "There is no such session.");
  }

  async endMany({ name, standing }: Caller, which: EndedSessions): Promise<EndSessionsReply> {
    const { sessions } = this.#parts;
    const own = standing?.session as DocId | undefined;
    if (which === "here") {
      const isEnded = own !== undefined && (await sessions.end(name, own, "logged out"));
      return { ok: true, ended: isEnded ? 1 : 0 };
    }
    return { ok: true, ended: await sessions.endAll(name, which === "elsewhere" ? own : undefined) };
  }
}
