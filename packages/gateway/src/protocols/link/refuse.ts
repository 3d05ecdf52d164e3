/** What a link answers when it does not open: a page for a browser, one line for a program. */
import type { WireRequest } from "daypass";
import { unsatisfiedContentRange } from "../../http/range.ts";
import { kindOfLink } from "../../links/link-kinds.ts";
import { type LinkProblem, LinkRefused } from "../../links/open-link.ts";
import { SAFE_HEADERS } from "../../pages/layout.ts";
import { passwordPage } from "../../pages/link-page.ts";
import type { PageProblem } from "../../pages/messages/types.ts";
import { problems, type RefusalPage, refusalPage } from "../../pages/refusal-page.ts";
import type { Answer } from "../../pipeline/outcome.ts";
import type { Refusal, RefusalCode } from "../../pipeline/refusal.ts";
import { messagesOf, pageAnswer, wantsPage } from "../page.ts";
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
  STORAGE_DENIED: "denied",
  UNAVAILABLE: "away",
  INTERNAL: "away",
};

/** Refusals of a request to a link that is open: `curl -C -` and `wget -c` rely on 416. */
const REQUEST_FAULTS: Readonly<Partial<Record<RefusalCode, { readonly status: number; readonly line: string }>>> = {
  RANGE_NOT_SATISFIABLE: { status: 416, line: "the range is outside the file" },
  PRECONDITION_FAILED: { status: 412, line: "the file does not meet the condition of the request" },
  METHOD_NOT_ALLOWED: { status: 405, line: "a link takes GET, HEAD and POST" },
  INVALID_ARGUMENT: { status: 400, line: "dl takes 16 to 64 letters, digits, - or _" },
};

const PAGES: Readonly<Partial<Record<LinkProblem, PageProblem>>> = {
  suspended: "revoked",
  "too-many-claims": "too-many",
};

/** Answers a refused request for a link. */
export function refuseLink({
  clock,
  sharedBy,
}: {
  readonly clock: () => Date;
  readonly sharedBy?: string | undefined;
}): (refusal: Refusal, exchange: Exchange) => Answer {
  return (refusal, { request, requestId, permit }) => {
    const fault = permit === undefined ? undefined : REQUEST_FAULTS[refusal.code];
    if (fault !== undefined)
      return lineAnswer(fault.status, fault.line, ["x-request-id", requestId, ...hints(refusal)]);
    const link = refusal instanceof LinkRefused ? refusal : undefined;
    const ids = ["x-request-id", requestId];
    if (link?.problem === "password" || link?.problem === "wrong-password") {
      const sender = link.showsSender ? sharedBy : undefined;
      return askPassword(request, { isWrong: link.problem === "wrong-password", sender }, ids);
    }
    const problem = problemOf(refusal);
    const { status, line } = problems[problem];
    const headers = [...ids];
    if (status === 503 || status === 429) {
      const seconds = link?.retryAt === undefined ? 5 : Math.ceil((link.retryAt - clock().getTime()) / 1000);
      headers.push("retry-after", String(Math.max(1, seconds)));
    }
    const opensAt = problem === "not-yet" && link?.retryAt !== undefined ? new Date(link.retryAt) : undefined;
    const text = opensAt === undefined ? line : `${line}: come back at ${opensAt.toISOString()}`;
    return wantsPage(request)
      ? pageAnswer(
          request,
          status,
          refusalPage(messagesOf(request), {
            problem,
            host: request.authority,
            requestId,
            now: clock(),
            opensAt,
            ...(link?.found === undefined ? addressFacts(request) : knownFacts(link.found, sharedBy)),
          }),
          headers,
        )
      : lineAnswer(status, text, headers);
  };
}

/** What a page says of a link that its holder may know. */
function knownFacts(
  { link, variant }: NonNullable<LinkRefused["found"]>,
  sharedBy: string | undefined,
): Partial<RefusalPage> {
  const { max, givenBack, maxBytes, held } = variant;
  return {
    expiredAt: new Date(link.expiresAt),
    sharedBy,
    deliveries: max === undefined ? undefined : { max: max + givenBack, areVisits: kindOfLink(link).opensMany },
    bytes: maxBytes === undefined ? undefined : { sent: Math.min(held, maxBytes), max: maxBytes },
    path: `/l/${variant.id}`,
  };
}

/** What was asked for. The token of a delivery is secret, and no holder types it. */
function addressFacts({ authority, target }: WireRequest): Partial<RefusalPage> {
  const [path = ""] = target.split("?", 1);
  return { address: path.startsWith("/l/") ? `${authority}${path}` : undefined };
}

/** The headers that a client needs to send the request again in a form that is answered. */
function hints({ code, details }: Refusal): readonly string[] {
  if (code === "METHOD_NOT_ALLOWED") return ["allow", "GET, HEAD, POST"];
  if (code !== "RANGE_NOT_SATISFIABLE") return [];
  return ["content-range", unsatisfiedContentRange(Number(details["size"]))];
}

/** The problem that a page names. */
function problemOf(refusal: Refusal): PageProblem {
  if (!(refusal instanceof LinkRefused)) return CODES[refusal.code] ?? "unknown";
  return PAGES[refusal.problem] ?? (refusal.problem as PageProblem);
}

function askPassword(
  request: WireRequest,
  { isWrong, sender }: { readonly isWrong: boolean; readonly sender: string | undefined },
  headers: readonly string[],
): Answer {
  const [path = ""] = request.target.split("?", 1);
  if (wantsPage(request))
    return pageAnswer(
      request,
      isWrong ? 403 : 200,
      passwordPage(messagesOf(request), { path, host: request.authority, isWrong, sender }),
      headers,
    );
  const line = "this link has a password: send it with curl -u :PASSWORD";
  return lineAnswer(401, line, [...headers, "www-authenticate", 'Basic realm="link", charset="UTF-8"']);
}

/** One line of text for a program. */
export function lineAnswer(status: number, text: string, headers: readonly string[] = []): Answer {
  const bytes = Buffer.from(`${text}\n`);
  const type = ["content-type", "text/plain; charset=utf-8", "content-length", String(bytes.length)];
  return { status, headers: [...type, ...SAFE_HEADERS, ...headers], body: { kind: "bytes", bytes } };
}
