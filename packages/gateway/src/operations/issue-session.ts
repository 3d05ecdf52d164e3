import type { Session, SessionRequest, Sessions } from "../pipeline/sessions.ts";

export interface IssueSession extends SessionRequest {
  readonly operation: "issue-session";
  readonly sessions: Sessions;
}

export interface IssuedSession {
  readonly kind: "session";
  readonly session: Session;
}

/** Makes credentials that end by themselves. They can do what the key can that asked for them, and less where told so. */
export function issueSession({ sessions, ...request }: IssueSession): IssuedSession {
  return { kind: "session", session: sessions.issue(request) };
}
