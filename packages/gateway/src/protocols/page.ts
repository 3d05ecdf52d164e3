import type { WireRequest } from "daypass";
import { readAccept } from "../http/accept.ts";
import { encodePage, PAGE_HEADERS } from "../pages/layout.ts";
import { messagesFor } from "../pages/messages/index.ts";
import type { Messages, RefusedUrl } from "../pages/messages/types.ts";
import { refusedUrlPage } from "../pages/refused-url-page.ts";
import type { Answer } from "../pipeline/outcome.ts";
import type { Refusal, RefusalCode } from "../pipeline/refusal.ts";
import type { Exchange, PermittingProtocol } from "./protocol.ts";

/** The types in which programs receive an error. */
const FOR_PROGRAMS = ["application/json", "application/problem+json", "application/xml", "text/xml"] as const;

/**
 * Whether a person reads the answer in a browser. Programs prefer HTML by name, too: the default `Accept` of Java's HttpURLConnection begins with
 * it. No program but a browser, and the preview of a chat, begins its `User-Agent` as browsers do.
 */
export function wantsPage({ headers }: WireRequest): boolean {
  const headerOf = (wanted: string): string => headers.find(([name]) => name.toLowerCase() === wanted)?.[1] ?? "";
  if (!headerOf("user-agent").startsWith("Mozilla/")) return false;
  const qualityOf = readAccept(headerOf("accept"));
  const page = qualityOf(["text/html"]) ?? 0;
  const isLess = (type: string): boolean => page < (qualityOf([type, "application/*", "*/*"]) ?? 0);
  return page > 0 && !FOR_PROGRAMS.some(isLess);
}

/** For a person who opened a URL. Every other code means that it is incomplete or was altered. */
const REASONS: Readonly<Partial<Record<RefusalCode, RefusedUrl>>> = {
  NO_SIGNATURE: "needed",
  EXPIRED: "expired",
  EXPIRED_TOKEN: "expired",
  USES_SPENT: "spent",
  REVOKED: "revoked",
  IP_NOT_GRANTED: "network",
  METHOD_NOT_GRANTED: "method",
  NOT_YET_VALID: "later",
  NO_SUCH_KEY: "missing",
  NO_SUCH_BUCKET: "missing",
  UNAVAILABLE: "failed",
  STORAGE_DENIED: "denied",
  UPSTREAM_FAILED: "failed",
  UPSTREAM_TIMEOUT: "failed",
  BUSY: "busy",
  INTERNAL: "internal",
};

/** A page that says why a URL does not open. It repeats nothing of the request but its host. */
export function page(
  { request, requestId }: Pick<Exchange, "request" | "requestId">,
  refused: {
    readonly status: number;
    readonly code: RefusalCode;
    readonly headers: readonly string[];
    /** The dialect's own code, for the developer who opened the URL. */
    readonly shown: string;
    /** When a URL whose signature is right expired; as text. */
    readonly expiresAt?: unknown;
  },
): Answer {
  const isRoot = request.target === "/" && refused.code === "NO_SIGNATURE";
  const text = refusedUrlPage(messagesOf(request), {
    why: isRoot ? "root" : (REASONS[refused.code] ?? "refused"),
    host: request.authority,
    requestId,
    error: `${refused.status} ${refused.shown}`,
    expiredAt: typeof refused.expiresAt === "string" ? new Date(refused.expiresAt) : undefined,
  });
  return pageAnswer(request, refused.status, text, refused.headers);
}

/** The texts in the language of a browser. */
export function messagesOf({ headers }: WireRequest): Messages {
  return messagesFor(headers.find(([name]) => name.toLowerCase() === "accept-language")?.[1]);
}

/** A page, which nothing may store. */
export function pageAnswer(
  { headers: asked }: WireRequest,
  status: number,
  text: string,
  headers: readonly string[] = [],
): Answer {
  const accepted = asked.find(([name]) => name.toLowerCase() === "accept-encoding")?.[1] ?? "";
  const { bytes, coding } = encodePage(text, accepted);
  const length = ["content-length", String(bytes.length)];
  return {
    status,
    headers: ["content-type", "text/html; charset=utf-8", ...length, ...PAGE_HEADERS, ...coding, ...headers],
    body: { kind: "bytes", bytes },
  };
}

/** Answers a request of no dialect or of two: a browser gets a page, a program the words of the gateway's first dialect. */
export function refuseUnrecognised(fallback: PermittingProtocol, refusal: Refusal, exchange: Exchange): Answer {
  const answer = fallback.refuse(refusal, exchange);
  if (!wantsPage(exchange.request)) return answer;
  const { requestId } = exchange;
  const { code } = refusal;
  return page(exchange, { status: answer.status, code, shown: code, headers: ["x-request-id", requestId] });
}
