import type { Session, SessionRequest, Sessions } from "../pipeline/sessions.ts";

export interface IssueSession extends SessionRequest {
  readonly operation: "issue-session";
  readonly sessions: Sessions;
}

/** Issues temporary credentials. They permit at most what the requesting key permits. */
export function issueSession({ sessions, ...request }: IssueSession): Session {
  return sessions.issue(request);
}
