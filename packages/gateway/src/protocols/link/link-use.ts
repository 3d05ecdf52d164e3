/** What counts as a use of a link: its page was opened, or a file was downloaded. Neither says that a person read it. */
import type { WireRequest } from "daypass";
import type { UseKind } from "../../links/link-counts.ts";
import type { Answer } from "../../pipeline/outcome.ts";
import { networkOf } from "../../pipeline/unverified-body-limit.ts";
import { pageAnswer } from "../page.ts";
import type { Asked } from "./asked.ts";

/** Whether the browser fetches ahead: its user has opened nothing yet. */
export function isPrefetch({ headers }: WireRequest): boolean {
  return headers.some(([name, value]) => /^(?:sec-purpose|purpose|x-moz)$/i.test(name) && /prefetch/i.test(value));
}

/** What chats fetch to show a preview of an address, as their `User-Agent` names it. Slack's begins with "Slackbot", Discord's ends with "Discordbot/2.0". */
const PREVIEWS = /bot\/\d|TelegramBot|Slackbot|facebookexternalhit|WhatsApp\/|UriPreview|\(bot;|Mastodon\//i;

function isByHolder(request: WireRequest): boolean {
  const agent = request.headers.find(([name]) => name.toLowerCase() === "user-agent")?.[1] ?? "";
  return request.method !== "HEAD" && !isPrefetch(request) && !PREVIEWS.test(agent);
}

/** Counts a use when the last byte of the answer was sent, and nothing if the connection was closed before. */
export function countedWhenSent({ grant, request, options }: Asked, kind: UseKind, answer: Answer): Answer {
  if (!isByHolder(request)) return answer;
  return {
    ...answer,
    onDelivered(bytes, complete) {
      answer.onDelivered?.(bytes, complete);
      const isUse = complete || (kind === "continued" && bytes > 0);
      if (isUse) options.counts.add(kind, grant.variant.id, networkOf(request.remoteAddress ?? ""));
    },
  };
}

/** A page of an open link. */
export function openedPage(asked: Asked, page: string): Answer {
  return countedWhenSent(asked, "opened", pageAnswer(asked.request, 200, page));
}
