import type { Session, Sessions } from "../pipeline/sessions.ts";
import type { KeyScope } from "../protocols/protocol.ts";

export interface IssueSession {
  readonly operation: "issue-session";
  readonly sessions: Sessions;
  /** The key that asks. */
  readonly parent: string;
  readonly scope: KeyScope;
  readonly expiration: Date;
}

export interface IssuedSession {
  readonly kind: "session";
  readonly session: Session;
}

/** Makes credentials that end by themselves. They can do what the key can that asked for them, and less where told so. */
export function issueSession({ sessions, ...request }: IssueSession): IssuedSession {
  return { kind: "session", session: sessions.issue(request) };
}
