import type { ErrorCode } from "../core/errors.ts";
import type { Problem } from "../core/problem.ts";

/** Whether the client is a browser that opens a link: the `Accept` of a navigation begins with HTML in every browser. */
export function wantsPage(accept: string | undefined): boolean {
  return /^\s*text\/html\b/i.test(accept ?? "");
}

const ASK = "Ask the sender for a new one.";

// A page never says which part of a signature is wrong.
const TEXTS: Readonly<Partial<Record<ErrorCode, readonly [title: string, text: string]>>> = {
  NO_SIGNATURE: ["A link is needed", "This address opens only with a valid link. Ask its owner for one."],
  EXPIRED: ["This link has expired", ASK],
  EXPIRED_TOKEN: ["This link has expired", ASK],
  NOT_YET_VALID: ["This link is not valid yet", "Try again later."],
  METHOD_NOT_GRANTED: ["This link does not open in a browser", "It allows another action, such as an upload."],
  USES_SPENT: ["This link was already used", ASK],
  WRONG_SUBJECT: ["This link is for another account", "Sign in with the account that the sender chose."],
  IP_NOT_GRANTED: ["This link does not open from your network", ASK],
};

/** The page for a person whose link was refused. It is ASCII, has no script and repeats nothing of the request. */
export function refusalPage(code: ErrorCode, headers: Problem["headers"]): Pick<Problem, "headers" | "body"> {
  const [title, text] = TEXTS[code] ?? ["This link does not work", `It is incomplete or was altered. ${ASK}`];
  return {
    headers: {
      ...headers,
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": "default-src 'none'",
    },
    body: `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<h1>${title}</h1>
<p>${text}</p>
</html>
`,
  };
}
