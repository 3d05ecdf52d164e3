import type { WireRequest } from "daypass";
import { readAccept } from "../http/accept.ts";
import type { Answer } from "../pipeline/outcome.ts";
import type { Refusal, RefusalCode } from "../pipeline/refusal.ts";
import type { Exchange, PermittingProtocol } from "./protocol.ts";
import { textAnswer } from "./text-answer.ts";

/** The types in which programs receive an error. */
const FOR_PROGRAMS = ["application/json", "application/problem+json", "application/xml", "text/xml"] as const;

/** Whether the client prefers HTML by name, as a browser does that opens a link. */
export function wantsPage({ headers }: WireRequest): boolean {
  const qualityOf = readAccept(headers.find(([name]) => name.toLowerCase() === "accept")?.[1] ?? "");
  const page = qualityOf(["text/html"]) ?? 0;
  const isLess = (type: string): boolean => page < (qualityOf([type, "application/*", "*/*"]) ?? 0);
  return page > 0 && !FOR_PROGRAMS.some(isLess);
}

const ASK = "Ask the sender for a new one.";
const MISSING = [
  "File not found",
  "The link is valid, but its file does not exist. Ask the sender for a new link.",
] as const;
const FAILED = ["The server cannot answer right now", "Try again in a few minutes."] as const;

// For a person who opened a link: what happened, and what helps. A page never names the wrong part of a signature.
const TEXTS: Readonly<Partial<Record<RefusalCode, readonly [title: string, text: string]>>> = {
  NO_SIGNATURE: ["A link is needed", "This address opens only with a valid link. Ask its owner for one."],
  EXPIRED: ["This link has expired", ASK],
  EXPIRED_TOKEN: ["This link has expired", ASK],
  USES_SPENT: ["This link was already used", ASK],
  REVOKED: ["This link was withdrawn", ASK],
  IP_NOT_GRANTED: ["This link does not open from your network", ASK],
  METHOD_NOT_GRANTED: ["This link does not open in a browser", "It allows another action, such as an upload."],
  NOT_YET_VALID: ["This link is not valid yet", "Try again later."],
  NO_SUCH_KEY: MISSING,
  NO_SUCH_BUCKET: MISSING,
  UNAVAILABLE: FAILED,
  UPSTREAM_FAILED: FAILED,
  UPSTREAM_TIMEOUT: FAILED,
  BUSY: ["Too many requests", "The server is too busy right now. Try again in a few seconds."],
  INTERNAL: [
    "The server failed",
    "Try again. If it fails again, send the number below to the operator of this server.",
  ],
};

const REFUSED = ["This link does not work", `This link is incomplete or was altered. ${ASK}`] as const;

/** A plain page that says why a link does not open. It has no script, no style and no form, and repeats nothing of the request. */
export function page(refused: {
  readonly status: number;
  readonly code: RefusalCode;
  readonly requestId: string;
  readonly headers?: readonly string[];
  /** The dialect's own code, for the developer who opened the link. */
  readonly shown?: string;
}): Answer {
  const [title, text] = TEXTS[refused.code] ?? REFUSED;
  return textAnswer({
    status: refused.status,
    type: "text/html; charset=utf-8",
    text: `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<h1>${title}</h1>
<p>${text}</p>
<p><small>Request ${refused.requestId}${refused.shown === undefined ? "" : `, ${refused.shown}`}</small></p>
</html>
`,
    headers: ["vary", "accept", ...(refused.headers ?? [])],
  });
}

/** Answers a request of no dialect or of two: a browser gets a page, a program the words of the gateway's first dialect. */
export function refuseUnrecognised(fallback: PermittingProtocol, refusal: Refusal, exchange: Exchange): Answer {
  const answer = fallback.refuse(refusal, exchange);
  if (!wantsPage(exchange.request)) return answer;
  const { requestId } = exchange;
  return page({ status: answer.status, code: refusal.code, requestId, headers: ["x-request-id", requestId] });
}
