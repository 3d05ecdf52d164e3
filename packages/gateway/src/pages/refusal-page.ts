/** The pages that say why a link does not open, and what its holder can do. */
import { type Content, html } from "./html.ts";
import type { Icon } from "./icons.ts";
import { layout, relativeText, sizeText, timeText } from "./layout.ts";
import { footerOf } from "./link-page.ts";
import { fill } from "./messages/index.ts";
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
  readonly expiredAt?: Date | undefined;
  readonly sharedBy?: string | undefined;
  /** How many deliveries the link had. */
  readonly deliveries?: { readonly max: number; readonly areVisits: boolean } | undefined;
  /** How much the link has sent. */
  readonly bytes?: { readonly sent: number; readonly max: number } | undefined;
  /** The address that was asked for, without its scheme. */
  readonly address?: string | undefined;
  /** The path of the link. */
  readonly path?: string | undefined;
}

/** The facts that belong to a problem, beside the sender and the reference. */
const FACTS: Readonly<Partial<Record<PageProblem, (messages: Messages, page: RefusalPage) => Content>>> = {
  unknown: ({ address }, page) => page.address !== undefined && fact(address, html`<bdi>${page.address}</bdi>`),
  expired: (messages, { expiredAt, now }) => instant(messages, messages.expired, expiredAt, now),
  "not-yet": (messages, { opensAt, now }) => instant(messages, messages.opens, opensAt, now),
  "used-up": ({ downloads, visits, usedOf }, { deliveries }) =>
    deliveries && fact(deliveries.areVisits ? visits : downloads, fill(usedOf, { count: deliveries.max })),
  "over-budget": ({ sent, partOf, language }, { bytes }) =>
    bytes && fact(sent, fill(partOf, { part: sizeText(bytes.sent, language), whole: sizeText(bytes.max, language) })),
};

function instant(messages: Messages, name: string, at: Date | undefined, now: Date): Content {
  return at && fact(name, relativeText(at, messages.language, now), timeText(at, messages.language, now));
}

/** How long an address is. */
const EXAMPLE_ID = "5dydZz2wBb1PmmEb6U7tsC";

/** Renders the page of a problem. */
export function refusalPage(messages: Messages, page: RefusalPage): string {
  const { problem, host, requestId, sharedBy, path = "" } = page;
  const { icon, isWarning, action } = problems[problem];
  const { title, text } = messages.problems[problem];
  const facts: readonly Content[] = [
    FACTS[problem]?.(messages, page),
    sharedBy !== undefined && fact(messages.sender, html`<bdi>${sharedBy}</bdi>`),
    fact(messages.reference, html`<bdi>${requestId}</bdi>`),
  ];
  const face = html`${heading(isWarning ? "warn" : "no", icon, title, text)}
${problem === "unknown" && html`<p class="hint mid">${messages.completeAddress}<br><b>/l/${EXAMPLE_ID}</b></p>`}
${action !== undefined && (action === "openAgain" ? html`<a class="go" href="${path}">${messages[action]}</a>` : html`<a class="alt" href="">${messages[action]}</a>`)}`;
  return layout(messages, { title, main: ticket(face, facts), footer: footerOf(messages, host) });
}
