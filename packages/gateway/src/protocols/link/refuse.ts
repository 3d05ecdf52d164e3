/** What a link answers when it does not open: a page for a browser, one line for a program. */
import type { WireRequest } from "daypass";
import { type LinkProblem, LinkRefused } from "../../links/open-link.ts";
import { PAGE_HEADERS, SAFE_HEADERS } from "../../pages/layout.ts";
import { passwordPage } from "../../pages/link-page.ts";
import { messagesFor } from "../../pages/messages.ts";
import { type PageProblem, problems, refusalPage } from "../../pages/refusal-page.ts";
import type { Answer } from "../../pipeline/outcome.ts";
import type { Refusal, RefusalCode } from "../../pipeline/refusal.ts";
import { wantsPage } from "../page.ts";
import type { Exchange } from "../protocol.ts";

/** The problem behind a refusal of another part of the gateway. Every other one is the server's own. */
const CODES: Readonly<Partial<Record<RefusalCode, PageProblem>>> = {
  // The owner may no longer give out the target: to the holder, the link was withdrawn.
  KEY_SCOPE: "revoked",
  UNKNOWN_KEY: "revoked",
  REVOKED: "revoked",
  NO_SUCH_KEY: "changed",
  NO_SUCH_BUCKET: "changed",
  BUSY: "away",
  UNAVAILABLE: "away",
  INTERNAL: "away",
};

const PAGES: Readonly<Partial<Record<LinkProblem, PageProblem>>> = {
  suspended: "revoked",
  "too-many-claims": "too-many",
};

/** Answers a refused request for a link. */
export function refuseLink({
  clock,
}: {
  readonly clock: () => Date;
}): (refusal: Refusal, exchange: Exchange) => Answer {
  return (refusal, { request, requestId }) => {
    const link = refusal instanceof LinkRefused ? refusal : undefined;
    const ids = ["x-request-id", requestId];
    if (link?.problem === "password" || link?.problem === "wrong-password") {
      return askPassword(request, link.problem === "wrong-password", ids);
    }
    const problem = link ? (PAGES[link.problem] ?? (link.problem as PageProblem)) : (CODES[refusal.code] ?? "unknown");
    const { status, line } = problems[problem];
    const headers = [...ids];
    if (status === 503 || status === 429) {
      const seconds = link?.retryAt === undefined ? 5 : Math.ceil((link.retryAt - clock().getTime()) / 1000);
      headers.push("retry-after", String(Math.max(1, seconds)));
    }
    const opensAt = problem === "not-yet" && link?.retryAt !== undefined ? new Date(link.retryAt) : undefined;
    const text = opensAt === undefined ? line : `${line}: come back at ${opensAt.toISOString()}`;
    return wantsPage(request)
      ? pageAnswer(status, refusalPage(messagesOf(request), problem, opensAt), headers)
      : lineAnswer(status, text, headers);
  };
}

function askPassword(request: WireRequest, isWrong: boolean, headers: string[]): Answer {
  const [path = ""] = request.target.split("?", 1);
  if (wantsPage(request))
    return pageAnswer(isWrong ? 403 : 200, passwordPage(messagesOf(request), { path, isWrong }), headers);
  const line = "this link has a password: send it with curl -u :PASSWORD";
  return lineAnswer(401, line, [...headers, "www-authenticate", 'Basic realm="link", charset="UTF-8"']);
}

/** The texts in the language of a browser. */
export function messagesOf({ headers }: WireRequest): ReturnType<typeof messagesFor> {
  return messagesFor(headers.find(([name]) => name.toLowerCase() === "accept-language")?.[1]);
}

/** A page, which nothing may store. */
export function pageAnswer(status: number, text: string, headers: readonly string[] = []): Answer {
  return textBody(status, "text/html; charset=utf-8", text, [...PAGE_HEADERS, ...headers]);
}

/** One line of text for a program. */
export function lineAnswer(status: number, text: string, headers: readonly string[] = []): Answer {
  return textBody(status, "text/plain; charset=utf-8", `${text}\n`, [...SAFE_HEADERS, ...headers]);
}

function textBody(status: number, type: string, text: string, headers: readonly string[]): Answer {
  const bytes = Buffer.from(text);
  return {
    status,
    headers: ["content-type", type, "content-length", String(bytes.length), ...headers],
    body: { kind: "bytes", bytes },
  };
}
