/** The pages that say why a link does not open, and what its holder can do. */
import { type Content, html } from "./html.ts";
import type { Icon } from "./icons.ts";
import { layout, timeText } from "./layout.ts";
import { footerOf } from "./link-page.ts";
import type { Messages, PageProblem } from "./messages/types.ts";
import { fact, heading, ticket } from "./ticket.ts";

interface Problem {
  readonly status: number;
  readonly icon: Icon;
  /** Only what the server or the sender must mend is amber. */
  readonly isWarning?: true;
  /** The one action; none if only the sender can help. */
  readonly action?: "tryAgain" | "openAgain";
  /** One line for programs. */
  readonly line: string;
}

/** The status of each problem, and how its page looks. */
export const problems: Readonly<Record<PageProblem, Problem>> = {
  unknown: { status: 404, icon: "search", line: "this link does not exist" },
  expired: { status: 410, icon: "clock", line: "this link has expired" },
  "used-up": { status: 410, icon: "check", line: "this link is used up" },
  revoked: { status: 410, icon: "revoke", line: "this link was withdrawn" },
  changed: {
    status: 410,
    icon: "alert",
    isWarning: true,
    line: "the file was changed or removed after it was shared",
  },
  "not-yet": { status: 403, icon: "clock", action: "tryAgain", line: "this link is not valid yet" },
  busy: {
    status: 503,
    icon: "clock",
    action: "tryAgain",
    line: "another person is opening this link: try again in two minutes",
  },
  "too-many": { status: 429, icon: "lock", action: "tryAgain", line: "too many attempts: wait ten minutes" },
  lapsed: {
    status: 410,
    icon: "clock",
    action: "openAgain",
    line: "this download was not started in time: open the link again",
  },
  network: { status: 403, icon: "page", action: "tryAgain", line: "this link does not open from your network" },
  away: {
    status: 503,
    icon: "alert",
    isWarning: true,
    action: "tryAgain",
    line: "links cannot be opened right now: try again in a few seconds",
  },
  denied: { status: 500, icon: "alert", isWarning: true, line: "the server may not read this file: tell the sender" },
  "over-budget": { status: 410, icon: "check", line: "the data limit of this link is reached" },
};

/** What the page of a problem shows. */
export interface RefusalPage {
  readonly problem: PageProblem;
  readonly host: string;
  /** For the operator, who finds it in the log. */
  readonly requestId: string;
  readonly now: Date;
  readonly opensAt?: Date | undefined;
}

/** Renders the page of a problem. */
export function refusalPage(messages: Messages, { problem, host, requestId, now, opensAt }: RefusalPage): string {
  const { icon, isWarning, action } = problems[problem];
  const { title, text } = messages.problems[problem];
  const facts: readonly Content[] = [
    opensAt !== undefined && fact(messages.opens, timeText(opensAt, messages.language, now)),
    fact(messages.reference, html`<bdi>${requestId}</bdi>`),
  ];
  const face = html`${heading(isWarning ? "warn" : "no", icon, title, text)}
${action !== undefined && html`<a class="alt" href="">${messages[action]}</a>`}`;
  return layout(messages, { title, main: ticket(face, facts), footer: footerOf(messages, host) });
}
