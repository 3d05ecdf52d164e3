import type { Answer } from "../pipeline/outcome.ts";
import type { Refusal } from "../pipeline/refusal.ts";
import { page, wantsPage } from "./page.ts";
import type { Exchange, Protocol } from "./protocol.ts";

/**
 * Answers someone who speaks no dialect, or two at once: a person with a browser gets a page, a program the words of the
 * gateway's first dialect.
 */
export function refuseStranger(fallback: Protocol, refusal: Refusal, exchange: Exchange): Answer {
  const answer = fallback.refuse(refusal, exchange);
  if (!wantsPage(exchange.request)) return answer;
  const { requestId } = exchange;
  return page({ status: answer.status, code: refusal.code, requestId, headers: ["x-request-id", requestId] });
}
