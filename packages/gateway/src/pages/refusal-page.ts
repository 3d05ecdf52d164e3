/** The pages that say why a link does not open, and what its holder can do. */
import { html } from "./html.ts";
import { layout, timeText } from "./layout.ts";
import type { MessageName, Messages } from "./messages.ts";

/** Why a link does not open. */
export type PageProblem =
  | "unknown"
  | "expired"
  | "used-up"
  | "revoked"
  | "changed"
  | "not-yet"
  | "busy"
  | "too-many"
  | "lapsed"
  | "network"
  | "away"
  | "over-budget";

/** The status of each problem, the name of its title, and one line for programs. */
export const problems: Readonly<Record<PageProblem, { status: number; title: MessageName; line: string }>> = {
  unknown: { status: 404, title: "unknown", line: "this link does not exist" },
  expired: { status: 410, title: "expired", line: "this link has expired" },
  "used-up": { status: 410, title: "usedUp", line: "this link is used up" },
  revoked: { status: 410, title: "revoked", line: "this link was withdrawn" },
  changed: { status: 410, title: "changed", line: "the file was changed or removed after it was shared" },
  "not-yet": { status: 403, title: "notYet", line: "this link is not valid yet" },
  busy: { status: 503, title: "busy", line: "another person is opening this link: try again in two minutes" },
  "too-many": { status: 429, title: "tooMany", line: "too many attempts: wait ten minutes" },
  lapsed: { status: 410, title: "lapsed", line: "this download was not started in time: open the link again" },
  network: { status: 403, title: "network", line: "this link does not open from your network" },
  away: { status: 503, title: "away", line: "links cannot be opened right now: try again in a few seconds" },
  "over-budget": { status: 410, title: "overBudget", line: "the data limit of this link is reached" },
};

/** Renders the page of a problem. */
export function refusalPage(messages: Messages, problem: PageProblem, opensAt?: Date): string {
  const { title } = problems[problem];
  const text = messages[`${title}Text` as MessageName];
  return layout(
    messages,
    messages[title],
    html`<h1>${messages[title]}</h1>
<p>${text}</p>
${opensAt !== undefined && html`<p>${timeText(opensAt, messages.language)}</p>`}`,
  );
}
