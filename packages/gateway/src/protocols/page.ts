import type { WireRequest } from "daypass";
import { readAccept } from "../http/accept.ts";
import type { Answer } from "../pipeline/outcome.ts";
import type { RefusalCode } from "../pipeline/refusal.ts";
import { textAnswer } from "./text-answer.ts";

/** What an answer for programs can come as. */
const FOR_PROGRAMS = ["application/json", "application/problem+json", "application/xml", "text/xml"] as const;

/**
 * Tells whether the client asks for HTML by name, as a browser does that opens a link, and for nothing that programs read more than
 * for it.
 */
export function wantsPage({ headers }: WireRequest): boolean {
  const qualityOf = readAccept(headers.find(([name]) => name.toLowerCase() === "accept")?.[1] ?? "");
  const page = qualityOf(["text/html"]) ?? 0;
  const isLess = (type: string): boolean => page < (qualityOf([type, "application/*", "*/*"]) ?? 0);
  return page > 0 && !FOR_PROGRAMS.some(isLess);
}

// For a person who opened a link: what happened, and what helps. Never which part of a signature was wrong.
const TEXTS: Readonly<Partial<Record<RefusalCode, readonly [title: string, text: string]>>> = {
  NO_SIGNATURE: [
    "A link is needed",
    "This address opens only with a link that was made for you. Ask its owner for one.",
  ],
  EXPIRED: ["This link has expired", "The time it was valid for is over. Ask its owner for a new one."],
  NOT_YET_VALID: ["This link is not valid yet", "It will work later. Try again then."],
  NO_SUCH_KEY: ["File not found", "The link is valid, but the file it was made for is not there."],
  NO_SUCH_BUCKET: ["File not found", "The link is valid, but the file it was made for is not there."],
  BUSY: ["Too many requests", "The server is too busy right now. Try again in a few seconds."],
  INTERNAL: ["Something went wrong here", "The server failed. Its operator can find out why with the number below."],
};

const REFUSED = [
  "This link does not work",
  "It may have been changed on the way, or be meant for something else. Ask its owner for a new one.",
] as const;

/** A plain page that says why a link does not open. It has no script, no style and no form, and quotes nothing of the request. */
export function page(refused: {
  readonly status: number;
  readonly code: RefusalCode;
  readonly requestId: string;
  readonly headers?: readonly string[];
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
<p><small>Request ${refused.requestId}</small></p>
</html>
`,
    headers: ["vary", "accept", ...(refused.headers ?? [])],
  });
}
