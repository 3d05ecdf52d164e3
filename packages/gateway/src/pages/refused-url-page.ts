/** The pages of the server's root and of refused signed URLs. They never name the wrong part of a signature. */
import { html } from "./html.ts";
import type { Icon } from "./icons.ts";
import { layout, timeText } from "./layout.ts";
import { footerOf } from "./link-page.ts";
import type { Messages, RefusedUrl } from "./messages/types.ts";
import { fact, heading, ticket } from "./ticket.ts";

const ICONS: Readonly<Record<RefusedUrl, Icon>> = {
  needed: "lock",
  expired: "clock",
  spent: "check",
  revoked: "revoke",
  network: "page",
  method: "lock",
  later: "clock",
  missing: "search",
  failed: "alert",
  denied: "alert",
  busy: "clock",
  internal: "alert",
  refused: "search",
  root: "link",
};
/** Who gave the URL can give another. */
const COMES_BACK: ReadonlySet<RefusedUrl> = new Set(["expired", "spent", "revoked", "refused"]);

/** What the page shows. */
export interface RefusedUrlPage {
  readonly why: RefusedUrl;
  readonly host: string;
  readonly requestId: string;
  /** For the developer who opened the URL: the status and the dialect's own code. */
  readonly error: string;
  /** When a URL whose signature is right expired. */
  readonly expiredAt?: Date | undefined;
}

/** Renders the page of a refused URL. */
export function refusedUrlPage(messages: Messages, { why, host, requestId, error, expiredAt }: RefusedUrlPage): string {
  const { title, text } = messages.refusals[why];
  const isOurs = ICONS[why] === "alert";
  const isRoot = why === "root";
  const face = html`${heading(isOurs ? "warn" : isRoot ? "dir" : "no", ICONS[why], title, text)}
${COMES_BACK.has(why) && html`<p class="note">${messages.back}</p>`}
${isRoot ? html`<p class="note">${messages.wholeAddress}<br><b><bdi>${host}</bdi>/l/…</b></p>` : html`<details><summary>${messages.developers}</summary><pre tabindex="0">${error}</pre></details>`}`;
  const facts = isRoot
    ? [fact(messages.server, html`<bdi>${host}</bdi>`)]
    : [
        expiredAt && fact(messages.expired, timeText(expiredAt, messages.language)),
        fact(messages.reference, html`<bdi>${requestId}</bdi>`),
      ];
  return layout(messages, { title, main: ticket(face, facts), footer: footerOf(messages, host) });
}
